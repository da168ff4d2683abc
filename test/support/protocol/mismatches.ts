import { widened } from '../../../src/kernels/lanes.ts'
import type { LocalParties, PassTrace } from '../../../src/protections/shared/local/local-parties.ts'
import { publicOf } from '../../../src/protections/shared/ops/parts/public-of.ts'
import type { Plan } from '../../../src/protections/shared/plan.ts'
import { refuseOutOfRange } from '../../../src/protections/shared/released.ts'
import { maskOf } from '../../../src/protections/shared/ring.ts'
import type { OraclePass } from '../../../src/protections/shared/runners/oracle.ts'
import type { PartyPass } from '../../../src/protections/shared/runners/party.ts'

/** What three runners made of a pass. */
export interface Ran {
  readonly pass: OraclePass
  readonly owner: PartyPass
  readonly server: PartyPass
}

/**
 * Every value in which the parties of a pass differ from the oracle, bit for bit, every value out of its range, and an alarm
 * that one is.
 */
export const mismatches = (parties: LocalParties, trace: PassTrace): string[] =>
  differences(trace.plan, { ...trace, pass: parties.oracle(trace).pass })

/** Every such value of runs that are at hand. */
export function differences(plan: Plan, { pass, owner, server }: Ran): string[] {
  const wrong = pass.violations.map((v) => `${v.op} ${v.step}: ${v.what}`)
  for (const { id, op, out } of plan.steps) {
    const own = widened(owner.result(id))
    const other = widened(server.result(id))
    const want = out.kind === 'opened' ? publicOf(pass, out) : widened(pass.result(id))
    const m = maskOf(out.ring)
    const got = own.map((v, i) => {
      if (out.kind === 'share') return (v + other[i]) & m
      return v
    })
    if (out.kind === 'masked') {
      const mask = owner.mask(out)
      if (want.some((v, i) => ((other[i] + mask[i]) & m) !== (v & m))) wrong.push(`${op} ${id} is wrong`)
    } else if (got.length !== want.length || want.some((v, i) => (v & m) !== got[i]))
      wrong.push(`${op} ${id} is wrong`)
    if (out.kind === 'opened' && other.some((v, i) => v !== own[i])) wrong.push(`${op} ${id} differs`)
  }
  try {
    refuseOutOfRange(plan.alarms, [owner])
  } catch (error) {
    wrong.push(String(error))
  }
  return wrong
}
