/**
 * A private fine-tune of public weights: how much of what was changed comes back from its veiled copy (after ArrowMatch, USENIX
 * Security 2025).
 */

import { rowNorms } from './known-table.ts'
import type { LlamaLayer, LlamaWeights } from './llama-weights.ts'
import { procrustes, times } from './procrustes.ts'
import { mapRows, nearest, picked, type Rows, rowCount, rowsOf } from './rows.ts'

/** Matrices whose rows are units of the feed-forward block. */
const matrices = ['gate', 'up'] as const

/**
 * Correlation of the change as recovered with the change as it is, over gate and up of all layers; and the share of
 * vocabulary that lengths give away.
 * @param tuned the private model: to judge with
 */
export async function knownBase(
  base: LlamaWeights,
  tuned: LlamaWeights,
  veiled: LlamaWeights,
): Promise<{ change: number }> {
  const { dim } = base.config
  const [table, seen] = [base, veiled].map(({ embedding }) => rowsOf(embedding, dim))
  const rotation = await procrustes(seen, picked(table, rowNorms(table, seen)))
  const sums = { dot: 0, got: 0, want: 0 }
  for (const [l, layer] of base.layers.entries())
    for (const name of matrices) {
      const known = folded(layer, name, dim)
      const estimate = await unitsOf(known, await times(folded(veiled.layers[l], name, dim), rotation))
      const gain = layer.feedForwardGain
      const [from, to] = [layer[name], tuned.layers[l][name]]
      for (let at = 0; at < from.length; at++) {
        const got = (estimate.data[at] - known.data[at]) / gain[at % dim]
        const want = to[at] - from[at]
        sums.dot += got * want
        sums.got += got * got
        sums.want += want * want
      }
    }
  return { change: sums.dot / Math.sqrt(sums.got * sums.want) }
}

/** A matrix with the gain before it taken in, as either group leaves them together. */
const folded = (layer: LlamaLayer, name: (typeof matrices)[number], dim: number): Rows =>
  mapRows(rowsOf(layer[name], dim), (row) => row.map((value, i) => value * layer.feedForwardGain[i]))

/** The veiled units in the order and size of the known ones: the most similar directions, whatever their signs. */
async function unitsOf(known: Rows, veiled: Rows): Promise<Rows> {
  const both: Rows = { data: new Float32Array(2 * veiled.data.length), width: veiled.width }
  const unit = mapRows(veiled, normalised)
  both.data.set(unit.data)
  both.data.set(
    unit.data.map((value) => -value),
    unit.data.length,
  )
  const { back } = await nearest(mapRows(known, normalised), both)
  const found = picked(
    veiled,
    back.map((i) => i % rowCount(veiled)),
  )
  const { width } = known
  for (let u = 0; u < rowCount(known); u++) {
    const [a, b] = [known, found].map(({ data }) => data.subarray(u * width, (u + 1) * width))
    let [dot, square] = [0, 0]
    for (let i = 0; i < width; i++) {
      dot += a[i] * b[i]
      square += b[i] * b[i]
    }
    for (let i = 0; i < width; i++) b[i] *= dot / square
  }
  return found
}

function normalised(row: Float32Array): Float32Array {
  const norm = Math.hypot(...row)
  return row.map((value) => value / norm)
}
