/** `sotto attack`: what a modified user learns of private weights, measured. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import { type AttackReport, queriesFor } from '../../../tools/attack/attack.ts'
import { attackModel } from '../../../tools/attack/run.ts'
import { nodePlatform } from '../../owner/node/platform.ts'
import { command, type ValuesOf } from '../command.ts'
import { pageConfig } from '../page-config.ts'
import { startProcesses } from '../processes.ts'
import { printResult } from '../terminal.ts'
import { whole } from '../values.ts'

const declared = command('attack', "Measure what a modified user learns of a model's private weights.")
  .addOption(
    new Option('--as <party>', 'the party that departs from the protocol')
      .choices(['owner'])
      .makeOptionMandatory(),
  )
  .requiredOption('--model <bundle>', 'folder of a whole bundle')
  .option('--queries <n>', 'passes to use', whole(1), 200)
  .option(
    '--rate-limit <n>',
    'rows that the dealer lets an address see within an hour; no limit if not given',
    whole(1),
  )
  .option('--json', 'print one JSON object', false)
  .addHelpText(
    'after',
    `
Starts a model server and a dealer for the bundle, and opens one session as any user does. The client then departs from
the protocol in one way: it adds numbers of its choice to its own share of the last private matrix's input, which shifts
what is released by rows of that matrix. Rows recovered are compared with the bundle's.`,
  )

export const attackCommand = declared.action(attack)

interface Limited {
  readonly rowsPerHour: number
  readonly rowsInFirstHour: number
  readonly hoursForAll: number
}

async function attack(values: ValuesOf<typeof declared>): Promise<void> {
  const { queries, rateLimit: rowsPerHour } = values
  const bundle = resolve(values.model)
  const keys = mkdtempSync(join(tmpdir(), 'sotto-keys-'))
  try {
    const parties = await startProcesses({
      models: bundle,
      rowsPerHour,
      host: '127.0.0.1',
      serverPort: 0,
      dealerPort: 0,
      origins: [],
      tlsArgs: [],
      logLevel: 'error',
      keys,
    })
    try {
      const started = performance.now()
      const config = pageConfig(parties.server.url, parties.dealer, 0)
      const report = await attackModel({ bundle, config, platform: nodePlatform(), queries })
      const used = report.learned.at(-1)!
      const secondsPerQuery = (performance.now() - started) / 1000 / Math.max(1, used.queries)
      const limited: Limited | undefined = rowsPerHour
        ? {
            rowsPerHour,
            rowsInFirstHour: used.rows,
            hoursForAll: queriesFor(report.rows, report.released) / rowsPerHour,
          }
        : undefined
      const facts = {
        model: parties.server.models[0],
        queries: used.queries,
        ...report,
        secondsPerQuery,
        limited,
      }
      printResult(values.json, facts, text(report, secondsPerQuery, limited))
    } finally {
      await parties.stop()
    }
  } finally {
    rmSync(keys, { recursive: true, force: true })
  }
}

function text(report: AttackReport, secondsPerQuery: number, limited?: Limited): string {
  const { matrix, rows, columns, released, learned, chanceCosine, isRefused } = report
  const lines = [
    `The last private matrix, ${matrix}: ${rows} rows of ${columns}, read through the released ${released}`,
    '  queries    rows  mean cosine  least',
    ...learned.map(
      (l) =>
        `  ${String(l.queries).padStart(7)} ${String(l.rows).padStart(7)}  ${l.meanCosine.toFixed(6).padStart(11)}  ${l.leastCosine.toFixed(4)}`,
    ),
    `Without knowledge the mean cosine is ${chanceCosine.toFixed(3)}. All rows take ${queriesFor(rows, released)} queries, here ${secondsPerQuery.toFixed(2)} s each.`,
  ]
  if (limited)
    lines.push(
      `At ${limited.rowsPerHour} released rows an hour: ${limited.rowsInFirstHour} rows in the first${isRefused ? ', when the dealer refused more' : ''}; all in ${limited.hoursForAll.toFixed(1)} hours.`,
    )
  return `${lines.join('\n')}\n`
}
