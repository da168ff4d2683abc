import type { LocalParties, PassTrace } from '../../../src/protections/shared/local/local-parties.ts'
import { publicOf } from '../../../src/protections/shared/ops/parts/public-of.ts'
import { maskOf, widened } from '../../../src/protections/shared/ring.ts'

/** Every value in which the parties of a pass differ from the oracle, bit for bit, and every value out of its range. */
export function mismatches(parties: LocalParties, trace: PassTrace): string[] {
  const { pass, violations } = parties.oracle(trace)
  const wrong = violations.map((v) => `${v.op} ${v.step}: ${v.what}`)
  for (const { id, op, out } of trace.plan.steps) {
    const own = widened(trace.owner.result(id))
    const other = widened(trace.server.result(id))
    const want = out.kind === 'opened' ? publicOf(pass, out) : widened(pass.result(id))
    const m = maskOf(out.ring)
    const got = own.map((v, i) => {
      if (out.kind === 'share') return (v + other[i]) & m
      return v
    })
    if (out.kind === 'masked') {
      const mask = trace.owner.mask(out)
      if (want.some((v, i) => ((other[i] + mask[i]) & m) !== (v & m))) wrong.push(`${op} ${id} is wrong`)
    } else if (got.length !== want.length || want.some((v, i) => (v & m) !== got[i]))
      wrong.push(`${op} ${id} is wrong`)
    if (out.kind === 'opened' && other.some((v, i) => v !== own[i])) wrong.push(`${op} ${id} differs`)
  }
  return wrong
}
