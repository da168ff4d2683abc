import { checkPolynomials, type PolynomialKernels } from '../polynomials.ts'

/** Polynomials by the recurrence T_k+1(x) = 2x T_k(x) - T_k-1(x) in float64, each rounded once. */
export const oraclePolynomials: PolynomialKernels = {
  polynomials(points, words, o) {
    const stride = checkPolynomials(points, words, o)
    const { n, groups, shift, scale } = o
    const out = new BigUint64Array(points.length * groups)
    points.forEach((point, i) => {
      const t = chebyshev(Number(BigInt.asUintN(shift, point)) / 2 ** shift, n, 2 ** scale)
      for (let g = 0; g < groups; g++) {
        let sum = 0n
        for (let k = 0; k < n; k++) sum += words[i * stride + g * n + k] * t[k]
        out[i * groups + g] = BigInt.asUintN(64, sum)
      }
    })
    return out
  },
}

/** T_k(2 delta - 1) for k < n, rounded at `scale`. */
function chebyshev(delta: number, n: number, scale: number): bigint[] {
  const x = 2 * delta - 1
  const t = [1, x]
  while (t.length < n) t.push(2 * x * t[t.length - 1] - t[t.length - 2])
  return t.slice(0, n).map((v) => BigInt(Math.round(v * scale)))
}
