/** Normalisation by rows. */
import { type Floats, zerosLike } from './math.ts'

/** x / sqrt(mean(x^2) + eps) * gain, by rows as wide as the gain. */
export function rmsNorm<T extends Floats>(
  x: T,
  gain: Floats,
  eps: number,
  tap?: (normal: T, meanSquare: T) => void,
): T {
  const d = gain.length
  const normal = zerosLike(x, x.length)
  const meanSquare = zerosLike(x, x.length / d)
  for (let t = 0; t < meanSquare.length; t++) {
    let sum = 0
    for (let i = 0; i < d; i++) sum += x[t * d + i] ** 2
    meanSquare[t] = sum / d
    const scale = 1 / Math.sqrt(meanSquare[t] + eps)
    for (let i = 0; i < d; i++) normal[t * d + i] = x[t * d + i] * scale
  }
  tap?.(normal, meanSquare)
  const out = zerosLike(x, x.length)
  for (let at = 0; at < out.length; at++) out[at] = normal[at] * gain[at % d]
  return out
}

/** (x - mean) / sqrt(variance + eps) * gain + bias, if any, by rows as wide as the gain. */
export function layerNorm<T extends Floats>(
  x: T,
  gain: Floats,
  bias: Float32Array | undefined,
  eps: number,
  tap?: (normal: T, variance: T) => void,
): T {
  const d = gain.length
  const normal = zerosLike(x, x.length)
  const variance = zerosLike(x, x.length / d)
  for (let t = 0; t < variance.length; t++) {
    const at = t * d
    let mean = 0
    for (let i = 0; i < d; i++) mean += x[at + i] / d
    let square = 0
    for (let i = 0; i < d; i++) square += (x[at + i] - mean) ** 2
    variance[t] = square / d
    const scale = 1 / Math.sqrt(square / d + eps)
    for (let i = 0; i < d; i++) normal[at + i] = (x[at + i] - mean) * scale
  }
  tap?.(normal, variance)
  const out = zerosLike(x, x.length)
  for (let at = 0; at < out.length; at++) out[at] = normal[at] * gain[at % d] + (bias?.[at % d] ?? 0)
  return out
}
