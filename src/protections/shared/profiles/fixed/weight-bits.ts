/** How precise weights are. */
import { continuesText } from '../../../../model/graph/graph-of.ts'
import type { ModelSpec } from './block.ts'
import { compileModel } from './compile.ts'
import { RangeTooWide } from './errors.ts'
import { spanBitsOf } from './model.ts'
import { precisionOf } from './widths.ts'

/** What every layer's rounding of its weights adds grows with the layers behind it. */
const DEEP_LAYERS = 12
/** As many as weights below one may have in 16 bits. */
const MOST_BITS = 15

/**
 * Fraction bits of a deep model's weights, where more than its form's usual ones are to be had: as many as the rings leave room
 * for that its ranges need, in plans of the longest passes. It follows from public metadata, so that all parties find the same.
 */
export function weightBits(spec: ModelSpec): number | undefined {
  const { config } = spec
  if (config.layers < DEEP_LAYERS) return undefined
  for (let weight = MOST_BITS; weight > precisionOf(config).weight; weight--)
    if (hasRoom({ ...spec, weight })) return weight
  return undefined
}

function hasRoom(spec: ModelSpec): boolean {
  const { config } = spec
  const goals = continuesText(config) ? (['bytes', 'hops'] as const) : (['hops'] as const)
  try {
    for (const goal of goals) compileModel(spec, spanBitsOf({ base: 0, rows: config.context }), { goal })
    return true
  } catch (error) {
    if (error instanceof RangeTooWide) return false
    throw error
  }
}
