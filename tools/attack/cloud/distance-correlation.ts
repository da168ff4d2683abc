/** Distance correlation (Székely, Rizzo and Bakirov, 2007), by which the paper judges how much a veil leaves. */
import { type Rows, rowCount } from './rows.ts'

/** Between the rows of two matrices, pair by pair: 0 where they are independent, 1 where distances are the same. */
export function distanceCorrelation(x: Rows, y: Rows): number {
  const [a, b] = [centredDistances(x), centredDistances(y)]
  const covariance = (p: Float64Array, q: Float64Array): number =>
    p.reduce((sum, value, i) => sum + value * q[i], 0)
  return Math.sqrt(covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b)))
}

function centredDistances(rows: Rows): Float64Array {
  const n = rowCount(rows)
  const { data, width } = rows
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let d = 0; d < width; d++) sum += (data[i * width + d] - data[j * width + d]) ** 2
      out[i * n + j] = Math.sqrt(sum)
    }
  const means = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0
    for (let j = 0; j < n; j++) sum += out[i * n + j]
    return sum / n
  })
  const all = means.reduce((sum, value) => sum + value, 0) / n
  return out.map((value, at) => value - means[Math.floor(at / n)] - means[at % n] + all)
}
