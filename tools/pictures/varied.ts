import type { PredictableRandom } from '../../src/model/random.ts'
import { FASHION_SIDE } from './fashion.ts'

/** Most pixels that a garment is moved by, along either axis. */
const SHIFT = 1

/**
 * Writes a picture to `out` as one might have taken it as well: mirrored or not, and moved a little. `out` has rows of
 * `stride` bytes, and the picture begins at `at`.
 */
export function vary(
  picture: Uint8Array,
  random: PredictableRandom,
  out: Uint8Array,
  at = 0,
  stride = FASHION_SIDE,
): void {
  const isMirrored = random.below(2) === 1
  const [dx, dy] = [0, 1].map(() => random.below(2 * SHIFT + 1) - SHIFT)
  for (let y = 0; y < FASHION_SIDE; y++)
    for (let x = 0; x < FASHION_SIDE; x++) {
      const fromX = (isMirrored ? FASHION_SIDE - 1 - x : x) - dx
      const fromY = y - dy
      const isInside = fromX >= 0 && fromX < FASHION_SIDE && fromY >= 0 && fromY < FASHION_SIDE
      out[at + y * stride + x] = isInside ? picture[fromY * FASHION_SIDE + fromX] : 0
    }
}
