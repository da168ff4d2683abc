/**
 * The privacy loss of one step as a random variable (Gopi, Lee and Wutschitz 2021, section 3), for both directions in
 * which neighbours differ. With P = (1 - q) N(0, sigma^2) + q N(1, sigma^2) and Q = N(0, sigma^2):
 * removing an example gives log P/Q under P, adding one gives log Q/P under Q.
 */
import { normalCdf } from './gaussian.ts'

/** Whether the neighbouring data set lacks an example or has one more. */
export type Direction = 'remove' | 'add'

/** A privacy loss, in nats, as a random variable. */
export interface PrivacyLoss {
  /** Probabilities that the loss is in (low + i width, low + (i + 1) width], for every i below `cells`. */
  probabilities(low: number, width: number, cells: number): Float64Array
  /** Mean of the loss given that it is in (low, high]. */
  mean(low: number, high: number): number
}

/** The loss of one step with noise multiplier `sigma` and sampling probability `q` in (0, 1]. */
export function privacyLoss(sigma: number, q: number, direction: Direction): PrivacyLoss {
  /** log P/Q at z, increasing in z. */
  const ratio = (z: number) => {
    const power = (2 * z - 1) / (2 * sigma * sigma)
    if (q === 1) return power
    return power > 30 ? power + Math.log(q + (1 - q) * Math.exp(-power)) : Math.log1p(q * Math.expm1(power))
  }
  /** The z where log P/Q is t. */
  const inverse = (t: number) => {
    if (t === Infinity || t === -Infinity) return t
    if (t <= Math.log1p(-q)) return -Infinity
    const power =
      t > 1 ? t + Math.log1p((q - 1) * Math.exp(-t)) - Math.log(q) : Math.log((Math.expm1(t) + q) / q)
    return sigma * sigma * power + 0.5
  }
  /** Normals, with their weights, that the loss is taken over. */
  const normals =
    direction === 'add'
      ? [[1, 0]]
      : [
          [1 - q, 0],
          [q, 1],
        ]
  const density = (z: number) => {
    const gauss = (mean: number) =>
      Math.exp(-(((z - mean) / sigma) ** 2) / 2) / (sigma * Math.sqrt(2 * Math.PI))
    return direction === 'add' ? gauss(0) : (1 - q) * gauss(0) + q * gauss(1)
  }
  const interval = (low: number, high: number): [number, number] =>
    direction === 'remove' ? [inverse(low), inverse(high)] : [inverse(-high), inverse(-low)]

  return {
    probabilities(low, width, cells) {
      const out = new Float64Array(cells)
      for (const [weight, mean] of normals) {
        // Of each edge the smaller tail, so that nothing cancels in either one.
        let before = 0
        let tailBefore = 0
        for (let i = 0; i <= cells; i++) {
          const loss = low + i * width
          const z = direction === 'remove' ? inverse(loss) : inverse(-loss)
          const x = (z - mean) / sigma
          const tail = normalCdf(-Math.abs(x))
          if (i > 0) {
            const [isHigh, wasHigh] = [x > 0, before > 0]
            out[i - 1] += weight * (isHigh === wasHigh ? Math.abs(tail - tailBefore) : 1 - tail - tailBefore)
          }
          before = x
          tailBefore = tail
        }
      }
      return out
    },
    mean(low, high) {
      const [from, to] = interval(low, high)
      // Beyond twelve deviations the densities hold less than 1e-32.
      const a = Math.max(from, -12 * sigma)
      const b = Math.min(to, (direction === 'add' ? 0 : 1) + 12 * sigma)
      const sign = direction === 'remove' ? 1 : -1
      const moment = simpson((z) => sign * ratio(z) * density(z), a, b, Math.ceil((b - a) / (sigma / 400)))
      return moment / simpson(density, a, b, Math.ceil((b - a) / (sigma / 400)))
    },
  }
}

/** Composite Simpson rule over `panels` pairs of cells. */
function simpson(f: (x: number) => number, a: number, b: number, panels: number): number {
  const h = (b - a) / (2 * panels)
  let sum = f(a) + f(b)
  for (let i = 1; i < 2 * panels; i++) sum += (i % 2 === 1 ? 4 : 2) * f(a + i * h)
  return (sum * h) / 3
}
