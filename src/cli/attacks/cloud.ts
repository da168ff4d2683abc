/** `sotto attack --as cloud`: what the host of a veiled model reads of it and of its users. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { attackPictures, readsPictures } from '../../../tools/attack/cloud/attack-pictures.ts'
import { attackVeiled } from '../../../tools/attack/cloud/attack-veiled.ts'
import type { Finding, Knowledge } from '../../../tools/attack/cloud/finding.ts'
import { ATTACKS_FORMAT, type AttackSummary, encodeReadable } from '../../protections/veiled/attacks.ts'
import type { Group } from '../../protections/veiled/ends.ts'
import { printResult, status } from '../terminal.ts'

export interface CloudAttackValues {
  readonly model: string
  readonly group: Group
  readonly knows?: Knowledge
  readonly traffic: string
  readonly domain?: string
  readonly other: readonly string[]
  readonly dialogues: number
  readonly samples: number
  readonly tuning: number
  readonly out?: string
  readonly readable?: string
  readonly json: boolean
}

/** Veils a copy of the model and attacks it; prints what came of it. */
export async function attackAsCloud({
  model,
  out,
  readable: to,
  json,
  ...values
}: CloudAttackValues): Promise<void> {
  const dir = resolve(model)
  const { readable, ...report } = readsPictures(dir)
    ? await attackPictures(dir, values.group, values.traffic)
    : await attackVeiled({
        ...values,
        model: dir,
        onProgress: (attack) => {
          if (!json) status(attack)
        },
      })
  if (!json) status('')
  const summary: AttackSummary = {
    format: ATTACKS_FORMAT,
    isLowerBound: true,
    ...report,
    findings: [...report.findings],
  }
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(summary, null, 1)}\n`)
  if (to !== undefined && readable)
    writeFileSync(to, `${JSON.stringify(encodeReadable(readable), null, 1)}\n`)
  printResult(json, summary, text(report.model, report.group, report.findings))
}

const text = (model: string, group: Group, findings: readonly Finding[]): string =>
  [
    `${model}, veiled with group ${group}. Lower bounds: a better attack may read more.`,
    ...findings.map(
      ({ attack, knows, knew, recovered }) =>
        `  ${knows.padEnd(8)} ${attack.padEnd(32)} ${Object.entries(recovered).map(shown).join(', ')}\n           a lower bound; knew ${knew}`,
    ),
    '',
  ].join('\n')

/** Shares as per cent. */
const shown = ([name, value]: readonly [string, number]): string =>
  /perplexity|correlation|change/i.test(name)
    ? `${name} ${value.toFixed(3)}`
    : `${(100 * value).toFixed(1)} % of ${name}`
