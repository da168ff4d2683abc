/** What a plan releases may span. */
import { graphOf } from '../../../../model/graph/graph-of.ts'
import type { ModelSpec } from './block.ts'
import { integerBits, precisionOf } from './widths.ts'

/**
 * The power of two that released numbers stay below while every value before them is within its calibrated range, head room
 * included. Their ring is four times as wide: of rows of noise, which is what values beyond a ring become, those of many numbers
 * hardly ever stay below it, single numbers half of the time. Noise before a norm, or before a pooler's tanh, has their range
 * behind them, and nothing of it shows.
 */
export function releasedRange({ config, ranges, ends }: ModelSpec): { place: string; most: number } {
  const { head, layers } = graphOf(config)
  const hasLogits = head.kind === 'labels' || head.kind === 'tags' || ends?.head === 'private'
  const hasNorm = head.kind === 'tokens' && head.transform !== undefined
  const largest = hasLogits ? ranges.final.logits : hasNorm ? (ranges.pool?.normal ?? 0) : ranges.final.normal
  const place = hasLogits ? 'the head' : hasNorm ? "the head's norm" : 'the final norm'
  return {
    place: `${place}, behind layer ${layers.length - 1}`,
    most: 2 ** integerBits(largest * precisionOf(config).headroom),
  }
}
