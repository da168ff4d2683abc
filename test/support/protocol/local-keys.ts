import type { LocalKeys } from '../../../src/protections/shared/local/keys.ts'
import type { SplitSeeds } from '../../../src/protections/shared/weights/split.ts'

export const splitSeeds = (n = 1): SplitSeeds => ({
  f: new Uint8Array(32).fill(60 + n),
  g: new Uint8Array(32).fill(160 + n),
})

/** Keys that are the same in every run, others for each seed. */
export function localKeys(seed = 1): LocalKeys {
  const key = (tag: number): Uint8Array => new Uint8Array(32).fill(tag + 10 * seed)
  return { owner: key(1), server: key(2), secret: key(3), stationary: key(4), split: splitSeeds() }
}
