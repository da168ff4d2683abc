/** All attacks of a cloud on a veiled model of one's own, by what it knows. */
import type { Group } from '../../../src/protections/veiled/ends.ts'
import { type Finding, type Knowledge, knowledge } from './finding.ts'
import { Laboratory, type LaboratoryOptions } from './laboratory.ts'
import { veiledTarget } from './target.ts'

export interface VeiledAttackOptions extends LaboratoryOptions {
  /** Folder of the whole bundle. */
  readonly model: string
  /** At most this; everything if not given. */
  readonly knows?: Knowledge
  /** Text of the same kind as users', which the cloud has. */
  readonly domain?: string
  /** Text of other kinds, which it has. */
  readonly other: readonly string[]
}

export interface VeiledAttackReport {
  readonly model: string
  readonly group: Group
  readonly findings: readonly Finding[]
  /** By token, whether a host that has text of the same kind reads it: 1 or 0. Where that was measured. */
  readonly readable?: Uint8Array
}

/** Veils the model with a fresh key and attacks it. Throws `AttackError` for what it cannot measure. */
export async function attackVeiled(o: VeiledAttackOptions): Promise<VeiledAttackReport> {
  const most = knowledge.indexOf(o.knows ?? 'weights')
  const may = (what: Knowledge): boolean => knowledge.indexOf(what) <= most
  const target = await veiledTarget(o.model, o.group)
  const laboratory = new Laboratory(o, target)
  const findings: Finding[] = []
  for (const [what, run] of [
    ['nothing', () => laboratory.byNumbers('nothing', o.other, 'of other kinds')],
    ['domain', () => (o.domain ? laboratory.byNumbers('domain', [o.domain], 'of the same kind') : [])],
    ['domain', () => laboratory.byPlaintext()],
    ['table', () => laboratory.byTable()],
    ['base', () => laboratory.byBase()],
    ['weights', () => laboratory.byWeights()],
  ] as const)
    if (may(what)) findings.push(...(await run()))
  const { readable } = laboratory
  return { model: target.bundle.manifest.name, group: o.group, findings, ...(readable ? { readable } : {}) }
}
