/** The real functions that tables hold. */

export type ActivationName = 'silu' | 'gelu' | 'gelu_tanh'

const silu = (x: number): number => x / (1 + Math.exp(-x))

/** The error function by its Taylor series near zero and its continued fraction away from it: about 1e-14. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    let term = a
    let sum = a
    for (let n = 1; n < 60; n++) {
      term *= (-a * a) / n
      sum += term / (2 * n + 1)
    }
    return Math.sign(x) * sum * (2 / Math.sqrt(Math.PI))
  }
  let f = a
  for (let n = 60; n > 0; n--) f = a + n / 2 / f
  return Math.sign(x) * (1 - Math.exp(-a * a) / (f * Math.sqrt(Math.PI)))
}

const gelu = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2))
const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))

export const activations: Record<ActivationName, (x: number) => number> = { silu, gelu, gelu_tanh: geluTanh }
