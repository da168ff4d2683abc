/** Tokens from what the veiled first layer computes, by somebody who has the original weights. */
import { FirstLayer } from './first-layer.ts'
import type { LlamaWeights } from './llama-weights.ts'

export interface Watched {
  /** What the cloud sees: the text's numbers. */
  readonly numbers: readonly number[]
  /** To judge with. */
  readonly ids: readonly number[]
}

/**
 * Shares of tokens that are read one after another, each from a single thing the cloud sees of it: attention scores on the
 * tokens before it, heads in any order, or the length of its row behind the first layer. Beginnings of `positions` tokens.
 */
export function fingerprints(
  weights: LlamaWeights,
  veiled: LlamaWeights,
  { numbers, ids }: Watched,
  positions: number,
): { attention: number; norms: number; read: number } {
  const candidates = Array.from({ length: weights.config.vocab }, (_, id) => id)
  const [own, seen] = [new FirstLayer(weights), new FirstLayer(veiled)]
  const right = { attention: 0, norms: 0 }
  const count = Math.min(positions, ids.length)
  for (let t = 0; t < count; t++) {
    const [observed] = seen.scores([numbers[t]])
    const sorted = byHeads(observed, weights.config.heads)
    const guesses = own.scores(candidates).map((row) => byHeads(row, weights.config.heads))
    if (nearestOf(guesses, sorted) === ids[t]) right.attention++
    const [norm] = seen.norms([numbers[t]])
    if (closest(own.norms(candidates), norm) === ids[t]) right.norms++
    own.append(ids[t])
    seen.append(numbers[t])
  }
  return { attention: right.attention / count, norms: right.norms / count, read: count }
}

/** The scores of each position over all heads by size, for heads may be in another order. */
function byHeads(scores: Float32Array, heads: number): Float32Array {
  const positions = scores.length / heads
  const out = new Float32Array(scores.length)
  for (let t = 0; t < positions; t++) {
    const column = Float32Array.from({ length: heads }, (_, h) => scores[h * positions + t]).sort()
    out.set(column, t * heads)
  }
  return out
}

function nearestOf(rows: readonly Float32Array[], row: Float32Array): number {
  const distances = rows.map((one) => one.reduce((sum, value, i) => sum + (value - row[i]) ** 2, 0))
  return distances.indexOf(Math.min(...distances))
}

function closest(values: Float64Array, value: number): number {
  let best = 0
  for (let i = 1; i < values.length; i++)
    if (Math.abs(values[i] - value) < Math.abs(values[best] - value)) best = i
  return best
}
