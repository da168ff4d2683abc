import { ProtectionError } from '../protection.ts'
import type { Alarm } from './plan.ts'
import type { ProfiledModel } from './profiles/profile.ts'
import type { PartyPass } from './runners/party.ts'
import { firstRow } from './shape.ts'

const outOfRange = (place: string): ProtectionError =>
  new ProtectionError(
    'out-of-range',
    `This text takes the model beyond the range that it was calibrated for, in ${place}: what it gives is not usable.`,
    'Word it otherwise, or have the model calibrated on texts like this one: sotto model calibrate.',
  )

/**
 * Throws `ProtectionError`, `out-of-range`, where a pass tells its owner that a value has left its ring: it names the first
 * place of the model where one has. Rows of padding, which may be anything, count for nothing, here as in the pass.
 * @param rowChunks the pass's
 */
export function refuseOutOfRange(
  alarms: readonly Alarm[],
  rowChunks: readonly Pick<PartyPass, 'shape' | 'padding' | 'result'>[],
): void {
  for (const { value, place, good } of alarms)
    for (const rows of rowChunks) {
      const { shape } = rows
      const padding = rows.padding()
      const first = shape.base + firstRow(shape, value.layout)
      rows.result(value.step).forEach((lane, i) => {
        if (padding[first + Math.floor(i / value.width)]) return
        if ((BigInt(lane) === 0n) !== (good === 'zero')) throw outOfRange(place)
      })
    }
}

/**
 * Numbers that were released, where the model can have said them. Throws `ProtectionError`, `out-of-range`, where they
 * are larger than values before them that are in range can make them.
 */
export function checkReleased(range: ProfiledModel['released'], released: Float64Array): Float64Array {
  if (range && released.some((value) => !(Math.abs(value) <= range.most))) throw outOfRange(range.place)
  return released
}
