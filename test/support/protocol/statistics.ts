/** Chi-square tests of uniformity with a family-wise error. */
import { chdtrc, compiled, lgam } from 'cephes'

await compiled

/** Counts of values in [0, 2^bits). */
export class Histogram {
  readonly counts: Float64Array
  total = 0

  constructor(bits: number) {
    this.counts = new Float64Array(2 ** bits)
  }

  /** Of as many values as were counted elsewhere. */
  static of(counts: readonly number[]): Histogram {
    const histogram = new Histogram(Math.log2(counts.length))
    histogram.counts.set(counts)
    histogram.total = counts.reduce((a, b) => a + b)
    return histogram
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

/** P(chi-square with `k` degrees of freedom >= x); 0 where it is below the least normal double. */
export function upperTail(x: number, k: number): number {
  if (x <= 0) return 1
  // Cephes takes an underflow for an error: this is the logarithm of the leading factor of the smaller tail.
  const leading = (k / 2) * Math.log(x / 2) - x / 2 - lgam(k / 2)
  if (leading < -700) return x > k ? 0 : 1
  return chdtrc(k, x)
}
