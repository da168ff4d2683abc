import type { PlanBuilder } from '../../../src/protections/shared/plan.ts'
import type { UnderMask } from '../../../src/protections/shared/values.ts'
import { type Given, Trial } from './plans.ts'

/** Every pair of 0 .. n-1 and 0 .. m-1, the second fastest. */
export const everyPair = (n: number, m: number): [number, number][] =>
  Array.from({ length: n * m }, (_, i) => [Math.floor(i / m), i % m])

/** Elements of a trial. */
const AT_ONCE = 4096

/** Every value of a ring of `bits` bits under every mask, a few thousand at a time. */
export function* everyMasked(bits: number): Generator<{ values: number[]; masks: number[] }> {
  const all = everyPair(2 ** bits, 2 ** bits)
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const some = all.slice(at, at + AT_ONCE)
    yield { values: some.map(([x]) => x), masks: some.map(([, a]) => a) }
  }
}

/** A trial in which the first opened values have these whole masks, in the order of their steps; others are random. */
export function maskedTrial(
  build: (plan: PlanBuilder, given: Given) => void,
  masks: readonly (readonly number[])[],
  seed?: number,
): Trial {
  const steps: number[] = []
  const mask = ({ step, kind }: UnderMask): BigUint64Array | undefined => {
    if (kind !== 'opened') return undefined
    if (!steps.includes(step)) steps.push(step)
    const own = masks[steps.indexOf(step)]
    return own && BigUint64Array.from(own, BigInt)
  }
  return new Trial(build, { mask, seed })
}
