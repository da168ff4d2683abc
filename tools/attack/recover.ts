/** From what nudges release to rows of a private matrix: plain least squares. */

/** Rows behind a linear end: what the nudge added, per unit. */
export const linearRow = (base: Float64Array, nudged: Float64Array, amount: number): Float64Array =>
  nudged.map((v, i) => (v - base[i]) / amount)

/**
 * Rows behind a normalisation, where each released vector has a scale of its own that the owner is not told:
 * n_i s_i = n + v_i for single nudges, n_sum s_sum = n + w sum v_i for all of them at once with the weight w, so that
 * n_sum s_sum - w sum n_i s_i = (1 - w k) n, a linear system in the scales. Returns the v_i, all times one common factor
 * (the inverse of n's own scale). Throws `RangeError` for fewer than two nudges, or w = 1/k, which tell nothing.
 */
export function normalisedRows(
  base: Float64Array,
  singles: readonly Float64Array[],
  sum: Float64Array,
  weight: number,
): Float64Array[] {
  const k = singles.length
  if (k < 2 || weight * k === 1) throw new RangeError('the scales do not follow from these nudges')
  const columns = [...singles.map((n) => n.map((v) => -weight * v)), sum]
  const scales = leastSquares(
    columns,
    base.map((v) => (1 - weight * k) * v),
  )
  return singles.map((n, i) => n.map((v, j) => v * scales[i] - base[j]))
}

/** The x that minimises |sum x_i columns_i - b|, by modified Gram-Schmidt with one pass of refinement. */
export function leastSquares(columns: readonly Float64Array[], b: Float64Array): Float64Array {
  const n = columns.length
  const q: Float64Array[] = []
  const r = Array.from({ length: n }, () => new Float64Array(n))
  columns.forEach((column, j) => {
    const v = column.slice()
    for (let pass = 0; pass < 2; pass++)
      q.forEach((u, i) => {
        const c = dot(u, v)
        r[i][j] += c
        for (let t = 0; t < v.length; t++) v[t] -= c * u[t]
      })
    r[j][j] = Math.sqrt(dot(v, v))
    q.push(v.map((x) => x / r[j][j]))
  })
  const x = Float64Array.from(q, (u) => dot(u, b))
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i] -= r[i][j] * x[j]
    x[i] /= r[i][i]
  }
  return x
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

export const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
