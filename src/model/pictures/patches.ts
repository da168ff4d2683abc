/** Pictures as a model reads them: normalised, and cut in square patches. Browser-safe. */
import { type PictureSizes, patchCount, patchSize } from './tower.ts'

/** How numbers are made of a channel's bytes: (byte / 255 - mean) / std, one of each for a channel. */
export interface Normalising {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/**
 * Cuts a picture, bytes `[channels, rows, columns]`, in patches from left to right and from above, each
 * `[channel, row, column]`, and writes their numbers to `out` from `at` on.
 */
export function cutPatches(
  pixels: ArrayLike<number>,
  { picture, patch, channels }: PictureSizes,
  { mean, std }: Normalising,
  out: Float32Array,
  at = 0,
): void {
  for (let top = 0; top < picture; top += patch)
    for (let left = 0; left < picture; left += patch)
      for (let c = 0; c < channels; c++)
        for (let y = top; y < top + patch; y++)
          for (let x = left; x < left + patch; x++)
            out[at++] = (pixels[(c * picture + y) * picture + x] / 255 - mean[c]) / std[c]
}

/** The patches of one picture, as {@link cutPatches} has them, one after another. */
export function patchesOf(
  pixels: ArrayLike<number>,
  config: PictureSizes,
  normal: Normalising,
): Float32Array[] {
  const size = patchSize(config)
  const all = new Float32Array(patchCount(config) * size)
  cutPatches(pixels, config, normal, all)
  return Array.from({ length: patchCount(config) }, (_, i) => all.subarray(i * size, (i + 1) * size))
}

/** A picture again from patches, `[channels, rows, columns]`, without undoing the normalising. */
export function joinPatches(patches: readonly ArrayLike<number>[], sizes: PictureSizes): Float32Array {
  const { picture, patch, channels } = sizes
  const out = new Float32Array(channels * picture * picture)
  const across = picture / patch
  patches.forEach((one, p) => {
    const [top, left] = [Math.floor(p / across) * patch, (p % across) * patch]
    for (let c = 0, i = 0; c < channels; c++)
      for (let y = top; y < top + patch; y++)
        for (let x = left; x < left + patch; x++, i++) out[(c * picture + y) * picture + x] = one[i]
  })
  return out
}
