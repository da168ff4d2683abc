/** The one place where a gradient becomes private: noise on the clipped sum, then the expected batch's mean. */
import { addGaussian, csprng, type RandomSource } from './noise.ts'

/** Of one step, as the ledger has it. */
export interface PrivatizeOptions {
  /** Norm to which each example's gradient was clipped, over all tensors together. */
  clip: number
  /** Noise multiplier. */
  sigma: number
  /** q times the number of examples. The batch's true size is private and must not be used. */
  expectedBatch: number
  source?: RandomSource
}

/**
 * Gaussian mechanism of DP-SGD (Abadi et al. 2016, algorithm 1) on the sum of clipped per-example gradients, in place:
 * adds N(0, sigma^2 clip^2) to each element, then divides by the expected batch. An empty batch is a zero sum, and must
 * be released like any other. The caller records the step in the ledger first.
 */
export function privatize(
  sum: ReadonlyMap<string, Float32Array>,
  { clip, sigma, expectedBatch, source = csprng }: PrivatizeOptions,
): void {
  if (!(clip > 0 && Number.isFinite(clip)))
    throw new RangeError(`Clipping norm ${clip}: it must be above 0 and finite.`)
  if (!(sigma > 0 && Number.isFinite(sigma)))
    throw new RangeError(`Noise multiplier ${sigma}: it must be above 0 and finite, or nothing is private.`)
  if (!(expectedBatch > 0 && Number.isFinite(expectedBatch)))
    throw new RangeError(`Expected batch ${expectedBatch}: it must be above 0 and finite.`)
  for (const [name, values] of sum) {
    // Clipping does not bound a gradient that is not a number: releasing it would tell who was in the batch.
    if (!values.every(Number.isFinite))
      throw new RangeError(`The clipped sum for ${name} is not finite. Drop such gradients before the sum.`)
    const noisy = Float64Array.from(values)
    addGaussian(noisy, sigma * clip, source)
    for (let i = 0; i < values.length; i++) values[i] = noisy[i] / expectedBatch
  }
}
