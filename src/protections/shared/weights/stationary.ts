/** Stationary masks F of private weights, and what is left of the weights under them. */
import type { Kernels } from '../../../kernels/kernels.ts'
import type { Plan, WeightUse } from '../plan.ts'
import { nonce, Prg, weightMaskStream, weightSumStream } from '../prg.ts'
import { type Lanes, sub } from '../ring.ts'
import { type EncodedWeight, encodedLanes } from './held.ts'

/** The private weights of a plan, in order: the index is what tells their stationary masks apart. */
export const privateWeights = (plan: Plan): WeightUse[] =>
  plan.weights.filter((w) => w.visibility === 'private')

/**
 * The owner's keystreams of a private weight's product a·F + c: of the mask a of what it multiplies, and of its share c of
 * what is dealt.
 */
export const productStreams = ({
  index,
  maskStream = weightMaskStream(index),
}: Pick<WeightUse, 'index' | 'maskStream'>): { a: number; c: number } => ({
  a: maskStream,
  c: weightSumStream(index),
})

/** Nonce of a private weight's stationary mask. */
export const stationaryNonce = (index: number): Uint8Array => nonce(index, 0)

/**
 * b = W - F mod 2^ring, [k x n]: what the dealer multiplies by. It is uniform, because F is.
 *
 * @param key of the stationary masks
 * @param index the weight's place among `privateWeights`
 */
export function difference(
  kernels: Kernels,
  key: Uint8Array,
  index: number,
  use: WeightUse,
  w: EncodedWeight,
): Lanes {
  const F = new BigUint64Array(w.length)
  new Prg(kernels, key).fill(index, 0, use.ring, F, 0, w.length, 8)
  return sub(encodedLanes(w), F, use.ring)
}
