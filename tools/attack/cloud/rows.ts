/** Nearest rows of one matrix to those of another. */
import type { PredictableRandom } from '../../../src/model/random.ts'
import { withProducts } from './products.ts'

export interface Rows {
  readonly width: number
  readonly data: Float32Array
}

export const rowsOf = (data: Float32Array, width: number): Rows => ({ data, width })
export const rowCount = ({ data, width }: Rows): number => data.length / width

/** The rows of these numbers, in this order. */
export function picked({ data, width }: Rows, ids: ArrayLike<number>): Rows {
  const out = new Float32Array(ids.length * width)
  for (let i = 0; i < ids.length; i++) out.set(data.subarray(ids[i] * width, (ids[i] + 1) * width), i * width)
  return { data: out, width }
}

/** Every row by a function of its own. */
export function mapRows({ data, width }: Rows, of: (row: Float32Array) => Float32Array): Rows {
  const rows = Array.from({ length: data.length / width }, (_, i) =>
    of(data.slice(i * width, (i + 1) * width)),
  )
  const out = new Float32Array(rows.length * rows[0].length)
  for (const [i, row] of rows.entries()) out.set(row, i * row.length)
  return { data: out, width: rows[0].length }
}

/** Lengths of rows. */
export function norms({ data, width }: Rows): Float64Array {
  return Float64Array.from({ length: data.length / width }, (_, i) => {
    let sum = 0
    for (let j = i * width; j < (i + 1) * width; j++) sum += data[j] * data[j]
    return Math.sqrt(sum)
  })
}

function meanOf({ data, width }: Rows): Float64Array {
  const mean = new Float64Array(width)
  for (let at = 0; at < data.length; at++) mean[at % width] += (data[at] * width) / data.length
  return mean
}

export interface Nearest {
  /** For each row of b, the nearest of a. */
  readonly forth: Int32Array<ArrayBuffer>
  /** For each row of a, the nearest of b. */
  readonly back: Int32Array<ArrayBuffer>
}

/** Nearest rows by Euclidean distance, both ways. Takes memory for a number by pair of rows. */
export async function nearest(known: Rows, others: Rows): Promise<Nearest> {
  // Around a common middle: what all rows share would cost the products' digits.
  const middle = meanOf(known)
  const [a, b] = [known, others].map((rows) =>
    mapRows(rows, (row) => row.map((value, i) => value - middle[i])),
  )
  const [aSquares, bSquares] = [norms(a), norms(b)].map((all) => all.map((norm) => norm * norm))
  const [rows, candidates] = [rowCount(b), rowCount(a)]
  const products = await withProducts(rows, async (open) => (await open(a.data, a.width))(b.data))
  const forth = new Int32Array(rows)
  const back = new Int32Array(candidates)
  const least = new Float64Array(candidates).fill(Number.POSITIVE_INFINITY)
  for (let i = 0; i < rows; i++) {
    let best = Number.POSITIVE_INFINITY
    for (let j = 0; j < candidates; j++) {
      const distance = aSquares[j] + bSquares[i] - 2 * products[i * candidates + j]
      if (distance < best) {
        best = distance
        forth[i] = j
      }
      if (distance < least[j]) {
        least[j] = distance
        back[j] = i
      }
    }
  }
  return { forth, back }
}

/** Every row with noise of this share of its length. */
export function perturbed({ data, width }: Rows, share: number, random: PredictableRandom): Rows {
  const out = data.slice()
  for (let from = 0; from < data.length; from += width) {
    const row = data.subarray(from, from + width)
    const size = (share * Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))) / Math.sqrt(width)
    for (let i = 0; i < width; i++) out[from + i] += size * random.normal()
  }
  return { data: out, width }
}
