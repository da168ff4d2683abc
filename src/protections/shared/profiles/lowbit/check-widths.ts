import { ProfileError } from '../errors.ts'
import { ID } from './id.ts'
import type { Widths } from './widths.ts'

/** Largest ring that a plan may need: what is above it no kernel has. */
const MOST = 64

/** Throws `ProfileError` where a manifest's numbers make rings that there are not, or take bits off that there are not. */
export function checkWidths(name: string, w: Widths): void {
  for (const [part, width] of Object.entries(w))
    for (const [what, bits] of Object.entries(typeof width === 'number' ? { ring: width } : width)) {
      if (typeof bits !== 'number' || what === 'scale' || what === 'most') continue
      if (bits < 0 || bits > MOST || !Number.isInteger(bits))
        throw new ProfileError(
          `Model '${name}' is quantized so that '${part}' has ${bits} bits (${what}): make it again, with other fractions.`,
          ID,
        )
    }
}
