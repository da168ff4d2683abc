/** Independent components: what a linear map cannot hide of numbers that are not normally distributed. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { PredictableRandom } from '../../src/model/random.ts'

/** Vectors of `width` numbers, one after another. */
export interface Rows {
  readonly width: number
  readonly values: ArrayLike<number>
}

/** Components of rows, and the way back. Each has a variance of one and is skewed to the positive side. */
export interface Components {
  readonly mean: Float64Array
  /** Components of a row: (row - mean) W, `[width, components]`. */
  readonly unmix: Matrix
  /** A row of components: mean + components M, `[components, width]`. */
  readonly mix: Matrix
}

/** Of turning the components until they stay. */
const ROUNDS = 150
const STILL = 1e-6
/** Rows that the components are found from; more make them little better. */
const MOST_ROWS = 40_000

/**
 * The `count` components of the strongest principal axes that are as independent as can be, by FastICA with tanh, all at
 * once (Hyvärinen, 1999). Rows that were mapped linearly have the same components, but for their order.
 */
export function independentComponents(rows: Rows, count: number, seed: number): Components {
  const sample = thinned(rows, MOST_ROWS)
  const mean = meanOf(sample)
  const axes = principalAxes(sample, mean, count)
  const white = multiplied(sample, mean, axes.to)
  const turn = fastIca(white, count, seed)
  const skewed = signs(white, turn, count)
  // The rows of `turn` are the components.
  const rotation = turn.transpose().mulRowVector(skewed)
  const unmix = axes.to.mmul(rotation)
  const mix = rotation.transpose().mmul(axes.back)
  return { mean, unmix, mix }
}

/** At most so many rows, evenly. */
function thinned({ width, values }: Rows, most: number): Rows {
  const rows = values.length / width
  if (rows <= most) return { width, values }
  const out = new Float64Array(most * width)
  for (let r = 0; r < most; r++) {
    const from = Math.floor((r * rows) / most) * width
    for (let i = 0; i < width; i++) out[r * width + i] = values[from + i]
  }
  return { width, values: out }
}

export function meanOf({ width, values }: Rows): Float64Array {
  const mean = new Float64Array(width)
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i]
  return mean.map((sum) => (sum * width) / values.length)
}

/** `to` `[width, count]` makes whitened numbers of centred rows, `back` `[count, width]` rows of them. */
function principalAxes({ width, values }: Rows, mean: Float64Array, count: number) {
  const covariance = new Float64Array(width * width)
  const row = new Float64Array(width)
  for (let at = 0; at < values.length; at += width) {
    for (let i = 0; i < width; i++) row[i] = values[at + i] - mean[i]
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++) covariance[i * width + j] += row[i] * row[j]
  }
  const rows = values.length / width
  const square = Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (_, j) => covariance[Math.min(i, j) * width + Math.max(i, j)] / rows),
  )
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(new Matrix(square), {
    assumeSymmetric: true,
  })
  const order = [...realEigenvalues.keys()].sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  const spread = order.slice(0, count).map((i) => Math.sqrt(realEigenvalues[i]))
  const axes = eigenvectorMatrix.subMatrixColumn(order.slice(0, count))
  const to = axes.clone().divRowVector(spread)
  const back = axes.clone().mulRowVector(spread).transpose()
  return { to, back }
}

/** (row - mean) W for each row, flat. */
export function multiplied({ width, values }: Rows, mean: Float64Array, w: Matrix): Float64Array {
  const count = w.columns
  const flat = Float64Array.from(w.to1DArray())
  const rows = values.length / width
  const out = new Float64Array(rows * count)
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < width; i++) {
      const x = values[r * width + i] - mean[i]
      for (let k = 0; k < count; k++) out[r * count + k] += x * flat[i * count + k]
    }
  return out
}

/** Rotations whose rows are the components of whitened numbers. */
function fastIca(white: Float64Array, count: number, seed: number): Matrix {
  const random = new PredictableRandom(seed)
  let w = orthogonal(
    new Matrix(Array.from({ length: count }, () => Array.from({ length: count }, () => random.normal()))),
  )
  const rows = white.length / count
  for (let round = 0; round < ROUNDS; round++) {
    const flat = Float64Array.from(w.to1DArray())
    const next = new Float64Array(count * count)
    const slope = new Float64Array(count)
    for (let at = 0; at < white.length; at += count)
      for (let c = 0; c < count; c++) {
        let y = 0
        for (let k = 0; k < count; k++) y += flat[c * count + k] * white[at + k]
        const g = Math.tanh(y)
        slope[c] += 1 - g * g
        for (let k = 0; k < count; k++) next[c * count + k] += g * white[at + k]
      }
    const before = w
    w = orthogonal(
      Matrix.from1DArray(
        count,
        count,
        next.map((x, i) => x / rows - (slope[Math.floor(i / count)] / rows) * flat[i]),
      ),
    )
    if (
      w
        .mmul(before.transpose())
        .diag()
        .every((cosine) => Math.abs(cosine) > 1 - STILL)
    )
      break
  }
  return w
}

/** (W W')^(-1/2) W. */
function orthogonal(w: Matrix): Matrix {
  const { eigenvectorMatrix: e, realEigenvalues } = new EigenvalueDecomposition(w.mmul(w.transpose()), {
    assumeSymmetric: true,
  })
  const inverse = realEigenvalues.map((value) => 1 / Math.sqrt(value))
  return e.clone().mulRowVector(inverse).mmul(e.transpose()).mmul(w)
}

/** 1 or -1 for each component, so that its skewness is positive. */
function signs(white: Float64Array, turn: Matrix, count: number): number[] {
  const skew = new Float64Array(count)
  const flat = Float64Array.from(turn.to1DArray())
  for (let at = 0; at < white.length; at += count)
    for (let c = 0; c < count; c++) {
      let y = 0
      for (let k = 0; k < count; k++) y += flat[c * count + k] * white[at + k]
      skew[c] += y ** 3
    }
  return Array.from(skew, (value) => (value < 0 ? -1 : 1))
}
