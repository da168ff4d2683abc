/** What the model's own embedding table, or the one it was tuned from, reads of the veiled one. */
import { mapRows, nearest, norms, type Rows } from './rows.ts'

/** Entries by size: what permutations and signs leave as it is (after Hidden No More, Thomas et al., 2025). */
export async function sortedRows(table: Rows, veiled: Rows): Promise<Int32Array> {
  const invariant = (rows: Rows): Rows => mapRows(rows, (row) => row.map(Math.abs).sort())
  return (await nearest(invariant(table), invariant(veiled))).forth
}

/** Lengths: what every exact map of the stream leaves as it is. */
export function rowNorms(table: Rows, veiled: Rows): Int32Array {
  const own = norms(table)
  const order = Uint32Array.from(own, (_, i) => i).sort((a, b) => own[a] - own[b])
  return Int32Array.from(norms(veiled), (norm) => {
    let [low, high] = [0, order.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (own[order[middle]] < norm) low = middle + 1
      else high = middle
    }
    const isBelow = low > 0 && norm - own[order[low - 1]] < own[order[low]] - norm
    return order[isBelow ? low - 1 : low]
  })
}
