import type { PredictableRandom } from '../../src/model/random.ts'
import { FASHION_SIDE, type LabelledPictures } from './fashion.ts'
import { vary } from './varied.ts'

/** Rows, and columns, of a picture of two by two garments. */
export const COLLAGE_SIDE = 2 * FASHION_SIDE

/** Where the garments of a collage are, in order. */
export const places = ['top left', 'top right', 'bottom left', 'bottom right'] as const

/** Four garments in one picture. */
export interface Collage {
  readonly pixels: Uint8Array
  /** Numbers of the garments' classes. */
  readonly labels: readonly number[]
}

const PIXELS = FASHION_SIDE ** 2

/** Any four garments; `isVaried`, each as one might have taken it as well. */
export function drawCollage(from: LabelledPictures, random: PredictableRandom, isVaried: boolean): Collage {
  const pixels = new Uint8Array(COLLAGE_SIDE ** 2)
  const labels = places.map((_, place) => {
    const number = random.below(from.count)
    const picture = from.pixels.subarray(number * PIXELS, (number + 1) * PIXELS)
    const at = (Math.floor(place / 2) * COLLAGE_SIDE + (place % 2)) * FASHION_SIDE
    if (isVaried) vary(picture, random, pixels, at, COLLAGE_SIDE)
    else
      for (let y = 0; y < FASHION_SIDE; y++)
        pixels.set(picture.subarray(y * FASHION_SIDE, (y + 1) * FASHION_SIDE), at + y * COLLAGE_SIDE)
    return from.labels[number]
  })
  return { pixels, labels }
}
