/** The mean of a text's rows, of which nobody but the owner knows how many there are. */
import { meanWeights } from '../../ops/mean-weights.ts'
import { mix } from '../../ops/mix.ts'
import { open } from '../../ops/open.ts'
import { truncate } from '../../ops/truncate.ts'
import type { Share } from '../../values.ts'
import type { Block } from './block.ts'

/** Fraction bits of a row's part in the mean. */
export const PART_BITS = 16

/** The mean of rows in a ring that has `PART_BITS` of room, in one without. One opening of rows and weights, and one hop. */
export function meanRow(
  block: Block,
  { value, bits }: { value: Share; bits: number },
): { value: Share; bits: number } {
  const { plan } = block
  const cache = 'mean'
  const heads = { heads: 1, kvHeads: 1, headDim: value.width }
  const weights = open(plan, meanWeights(plan, value, PART_BITS), { bits })
  const rows = open(plan, value, { bits, cache })
  const mean = mix(plan, weights, rows, cache, heads)
  return { value: truncate(plan, mean, PART_BITS, bits - PART_BITS), bits: bits - PART_BITS }
}
