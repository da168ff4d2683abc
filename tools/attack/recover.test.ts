import { describe, expect, it } from 'vitest'
import { cosine, leastSquares, linearRow, normalisedRows } from './recover.ts'

const random = (() => {
  let state = 12345
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state / 2 ** 31 - 1
  }
})()
const vector = (n: number): Float64Array => Float64Array.from({ length: n }, random)
const unit = (v: Float64Array): Float64Array => {
  const rms = Math.sqrt(v.reduce((s, x) => s + x * x, 0) / v.length)
  return v.map((x) => x / rms)
}

describe('recovery', () => {
  it('solves overdetermined systems', () => {
    const columns = Array.from({ length: 5 }, () => vector(40))
    const x = [1, -2, 3, 0.5, -0.25]
    const b = new Float64Array(40).map((_, i) => columns.reduce((s, c, j) => s + c[i] * x[j], 0))
    leastSquares(columns, b).forEach((v, i) => {
      expect(v).toBeCloseTo(x[i], 10)
    })
  })

  it('takes differences behind a linear end', () => {
    expect(linearRow(Float64Array.of(1, 2), Float64Array.of(2, 0), 4)).toEqual(Float64Array.of(0.25, -0.5))
  })

  it.each([2, 3, 16])('finds the scales that a normalisation hides, from %i rows and their sum', (k) => {
    const x = vector(64)
    const rows = Array.from({ length: k }, () => vector(64).map((v) => 0.4 * v))
    const weight = 3 / 8
    const shifted = (by: Float64Array): Float64Array => unit(x.map((v, i) => v + by[i]))
    const sum = new Float64Array(64).map((_, i) => weight * rows.reduce((s, r) => s + r[i], 0))
    const got = normalisedRows(unit(x), rows.map(shifted), shifted(sum), weight)
    got.forEach((row, i) => {
      expect(cosine(row, rows[i])).toBeGreaterThan(1 - 1e-9)
      // All have the same factor.
      expect(row[0] / rows[i][0]).toBeCloseTo(got[0][0] / rows[0][0], 6)
    })
  })

  it('refuses nudges that tell nothing', () => {
    const v = vector(8)
    expect(() => normalisedRows(v, [v], v, 3 / 8)).toThrow(RangeError)
    expect(() => normalisedRows(v, [v, v], v, 1 / 2)).toThrow(RangeError)
  })
})
