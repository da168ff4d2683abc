/**
 * Piecewise polynomials for dealt tables. The dealer knows the exact interval that an entry stands for, so it fits
 * the function there; the parties evaluate with the *public* low bits of D. Chebyshev's basis keeps coefficients and
 * basis values within one unit of scale, where powers would cancel.
 */

/** Coefficients of f on [low, low + width) in T_k(2 delta - 1), by interpolation at degree + 1 Chebyshev nodes. */
export class Fitter {
  readonly words: number
  /** Where in a unit interval the function is sampled. */
  readonly nodes: Float64Array
  /** words x words: what makes samples coefficients. */
  readonly matrix: Float64Array
  readonly #samples: Float64Array

  constructor(degree: number) {
    const n = degree + 1
    this.words = n
    this.nodes = Float64Array.from({ length: n }, (_, j) => (Math.cos((Math.PI * (j + 0.5)) / n) + 1) / 2)
    this.matrix = new Float64Array(n * n)
    for (let k = 0; k < n; k++)
      for (let j = 0; j < n; j++)
        this.matrix[k * n + j] = ((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * k * (j + 0.5)) / n)
    this.#samples = new Float64Array(n)
  }

  /** Writes `words` coefficients times `scale`, rounded to integers, to out[at..]. */
  fit(
    f: (x: number) => number,
    low: number,
    width: number,
    scale: number,
    out: Float64Array,
    at: number,
  ): void {
    const n = this.words
    const y = this.#samples
    for (let j = 0; j < n; j++) y[j] = f(low + this.nodes[j] * width)
    for (let k = 0; k < n; k++) {
      let c = 0
      for (let j = 0; j < n; j++) c += this.matrix[k * n + j] * y[j]
      out[at + k] = Math.round(c * scale)
    }
  }
}
