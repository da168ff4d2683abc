/**
 * Piecewise polynomials for dealt tables. The dealer knows the exact interval that an entry stands for, so it fits
 * the function there; the parties evaluate with the *public* low bits of D. Chebyshev's basis keeps coefficients and
 * basis values within one unit of scale, where powers would cancel.
 */

/** Coefficients of f on [low, low + width) in T_k(2 delta - 1), by interpolation at degree + 1 Chebyshev nodes. */
export class Fitter {
  readonly words: number
  readonly #nodes: Float64Array
  readonly #transform: Float64Array
  #samples = new Float64Array()

  constructor(degree: number) {
    const n = degree + 1
    this.words = n
    this.#nodes = Float64Array.from({ length: n }, (_, j) => (Math.cos((Math.PI * (j + 0.5)) / n) + 1) / 2)
    this.#transform = new Float64Array(n * n)
    for (let k = 0; k < n; k++)
      for (let j = 0; j < n; j++)
        this.#transform[k * n + j] = ((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * k * (j + 0.5)) / n)
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
    this.fitAll(f, Float64Array.of(low), 1, width, scale, out.subarray(at, at + this.words))
  }

  /** The same for the first `count` intervals [lows[i], lows[i] + width), one after the other from out[0] on. */
  fitAll(
    f: (x: number) => number,
    lows: Float64Array,
    count: number,
    width: number,
    scale: number,
    out: Float64Array,
  ): void {
    const n = this.words
    const nodes = this.#nodes
    const transform = this.#transform
    if (this.#samples.length < count * n) this.#samples = new Float64Array(count * n)
    const y = this.#samples
    for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < n; j++) y[at++] = lows[i] + nodes[j] * width
    for (let i = 0; i < count * n; i++) y[i] = f(y[i])
    for (let from = 0; from < count * n; from += n)
      for (let k = 0; k < n; k++) {
        let c = 0
        for (let j = 0, t = k * n; j < n; j++) c += transform[t + j] * y[from + j]
        out[from + k] = Math.round(c * scale)
      }
  }
}
