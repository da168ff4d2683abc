/** The rotation between two tables whose rows are in unknown orders: principal axes, then alternating matches and fits. */
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix'
import { withProducts } from './products.ts'
import { nearest, picked, type Rows, rowCount } from './rows.ts'

const STEPS = 12

export interface Alignment {
  /** The row of the known table that each veiled row is taken for. */
  readonly guess: Int32Array<ArrayBuffer>
  /** [width, width]: veiled rows times it lie in the known table's basis. */
  readonly rotation: Rows
  readonly steps: number
}

/**
 * Principal axes agree up to their signs, which third moments tell; then rows that are each other's nearest fix the rotation
 * (orthogonal Procrustes, Schönemann, 1966), and it begins again (iterative closest points, Besl and McKay, 1992).
 */
export async function align(table: Rows, veiled: Rows): Promise<Alignment> {
  const [own, seen] = [axes(table), axes(veiled)]
  let rotation = rowsFrom(seen.mmul(own.transpose()))
  let guess = new Int32Array()
  for (let step = 1; ; step++) {
    const { forth, back } = await nearest(table, await times(veiled, rotation))
    const isFound = guess.length > 0 && forth.every((token, i) => token === guess[i])
    guess = forth
    const mutual = [...forth.keys()].filter((i) => back[forth[i]] === i)
    if (isFound || step === STEPS || mutual.length === 0) return { guess, rotation, steps: step }
    const partners = mutual.map((i) => forth[i])
    rotation = await procrustes(picked(veiled, mutual), picked(table, partners))
  }
}

/** The orthogonal Q for which |x Q - y| is least. */
export async function procrustes(x: Rows, y: Rows): Promise<Rows> {
  const cross = matrixOf(await gram(x, y))
  const svd = new SingularValueDecomposition(cross)
  return rowsFrom(svd.leftSingularVectors.mmul(svd.rightSingularVectors.transpose()))
}

/** x [n, a] times q [a, b]. */
export const times = async (x: Rows, q: Rows): Promise<Rows> => ({
  data: await withProducts(rowCount(x), async (open) =>
    (await open(transposed(q).data, q.data.length / q.width))(x.data),
  ),
  width: q.width,
})

/** x' y of two matrices with as many rows, [x.width, y.width]. */
async function gram(x: Rows, y: Rows): Promise<Rows> {
  return times(transposed(x), y)
}

export function transposed({ data, width }: Rows): Rows {
  const height = data.length / width
  const out = new Float32Array(data.length)
  for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) out[j * height + i] = data[i * width + j]
  return { data: out, width: height }
}

/** Principal axes [width, width], a column each, the sign of each such that the third moment along it is positive. */
function axes(rows: Rows): Matrix {
  const { width } = rows
  const centred = centredOf(rows)
  const covariance = Matrix.zeros(width, width)
  const height = rowCount(rows)
  for (let r = 0; r < height; r++)
    for (let i = 0; i < width; i++) {
      const a = centred[r * width + i]
      for (let j = i; j < width; j++) covariance.set(i, j, covariance.get(i, j) + a * centred[r * width + j])
    }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) covariance.set(i, j, covariance.get(j, i))
  const vectors = new EigenvalueDecomposition(covariance, { assumeSymmetric: true }).eigenvectorMatrix
  for (let axis = 0; axis < width; axis++) {
    let moment = 0
    for (let r = 0; r < height; r++) {
      let along = 0
      for (let i = 0; i < width; i++) along += centred[r * width + i] * vectors.get(i, axis)
      moment += along ** 3
    }
    if (moment < 0) vectors.mulColumn(axis, -1)
  }
  return vectors
}

function centredOf({ data, width }: Rows): Float64Array {
  const mean = new Float64Array(width)
  const height = data.length / width
  for (let at = 0; at < data.length; at++) mean[at % width] += data[at] / height
  return Float64Array.from(data, (value, at) => value - mean[at % width])
}

const rowsFrom = (matrix: Matrix): Rows => ({
  data: Float32Array.from(matrix.to1DArray()),
  width: matrix.columns,
})

const matrixOf = ({ data, width }: Rows): Matrix => Matrix.from1DArray(data.length / width, width, [...data])
