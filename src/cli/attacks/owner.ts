/** `sotto attack --as owner`: what a modified user learns of weights under secret sharing. */
import { resolve } from 'node:path'
import { type AttackReport, queriesFor } from '../../../tools/attack/attack.ts'
import { attackModel } from '../../../tools/attack/run.ts'
import { nodePlatform } from '../../owner/node/platform.ts'
import { pageConfig } from '../page-config.ts'
import { withProcesses } from '../processes.ts'
import { printResult } from '../terminal.ts'

interface Limited {
  readonly rowsPerHour: number
  readonly rowsInFirstHour: number
  readonly hoursForAll: number
}

export interface OwnerAttackValues {
  readonly model: string
  readonly queries: number
  readonly rateLimit?: number
  readonly json: boolean
}

/** Starts the parties, and departs from the protocol as a user could. */
export async function attackAsOwner(values: OwnerAttackValues): Promise<void> {
  const { queries, rateLimit: rowsPerHour } = values
  const bundle = resolve(values.model)
  await withProcesses({ models: bundle, rowsPerHour }, async ({ server, dealer }) => {
    const started = performance.now()
    const config = pageConfig(server.url, dealer, 0)
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
    const facts = { model: server.models[0], queries: used.queries, ...report, secondsPerQuery, limited }
    printResult(values.json, facts, text(report, secondsPerQuery, limited))
  })
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
