import { ProtectionError } from '../protection.ts'
import type { ProfiledModel } from './profiles/profile.ts'

/**
 * Numbers that were released, where the model can have said them. Throws `ProtectionError`, `out-of-range`, where they
 * can be nothing but noise, because a value before them has left its ring. Most values that do are not noticed by it: noise
 * before the last norm, or a pooler's tanh, is released within its range.
 */
export function checkReleased(range: ProfiledModel['released'], released: Float64Array): Float64Array {
  if (range && released.some((value) => !(Math.abs(value) <= range.most)))
    throw new ProtectionError(
      'out-of-range',
      `This text takes the model beyond the range that it was calibrated for: what ${range.place}, gives is not usable.`,
      'Word it otherwise, or have the model calibrated on texts like this one: sotto model calibrate.',
    )
  return released
}
