import { encode, type Lanes } from '../ring.ts'
import type { ShareType } from '../values.ts'

/** What the owner's input to a plan is: columns of a row, their ring Z_2^ring and their scale. */
export type InputType = Omit<ShareType, 'layout'> & {
  /** Least and largest integer, where the representation has an end: what is beyond is put in as that. */
  readonly range?: readonly [low: number, high: number]
}

/** An input's reals as the integers that a plan begins with, mod 2^ring. */
export function encodeInput({ ring, scale, range }: InputType, reals: Float64Array): Lanes {
  if (!range) return encode(reals, ring, scale.bits)
  const unit = 2 ** -scale.bits
  const [low, high] = range.map((end) => end * unit)
  const within = new Float64Array(reals.length)
  for (let i = 0; i < within.length; i++) within[i] = Math.min(high, Math.max(low, reals[i]))
  return encode(within, ring, scale.bits)
}
