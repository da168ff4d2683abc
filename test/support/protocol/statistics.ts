/** Chi-square tests of uniformity with a family-wise error. */

/** Counts of values in [0, 2^bits). */
export class Histogram {
  readonly counts: Float64Array
  total = 0

  constructor(bits: number) {
    this.counts = new Float64Array(2 ** bits)
  }

  add(value: number): void {
    this.counts[value]++
    this.total++
  }

  /** Probability that truly uniform values would be spread at least as unevenly. */
  get p(): number {
    const cells = this.counts.length
    const expected = this.total / cells
    let chi = 0
    for (const n of this.counts) chi += (n - expected) ** 2 / expected
    return upperTail(chi, cells - 1)
  }
}

/** P(chi-square with `k` degrees of freedom >= x) by the regularised incomplete gamma function. */
export function upperTail(x: number, k: number): number {
  const a = k / 2
  const z = x / 2
  if (z <= 0) return 1
  const scale = Math.exp(a * Math.log(z) - z - logGamma(a))
  if (z < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < 10000 && term > sum * 1e-15; n++) {
      term *= z / (a + n)
      sum += term
    }
    return Math.max(0, 1 - sum * scale)
  }
  // Lentz's continued fraction.
  let b = z + 1 - a
  let c = 1e300
  let d = 1 / b
  let h = d
  for (let i = 1; i < 10000; i++) {
    const an = -i * (i - a)
    b += 2
    d = 1 / (an * d + b)
    c = b + an / c
    h *= d * c
    if (Math.abs(d * c - 1) < 1e-14) break
  }
  return scale * h
}

/** Stirling's series after shifting the argument up. */
function logGamma(x: number): number {
  let shift = 0
  while (x < 10) shift -= Math.log(x++)
  const y = 1 / (x * x)
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y / 1680))) / x
  return shift + (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series
}
