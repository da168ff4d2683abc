/** Each party's access to its side of what was dealt. */
import type { Slot } from '../dealt.ts'
import type { Lanes } from '../ring.ts'
import type { Step } from '../step.ts'
import type { Role } from '../values.ts'
import { slotWidth } from './keystreams.ts'

/** Bits that each value of a party's share of a slot takes in `Correlations.packed`. */
export const sharedBits = (role: Role, slot: Slot): number =>
  role === 'owner' ? 8 * slotWidth(slot) : slot.bits

/** A party's access to its side of the dealt correlations. */
export interface Correlations {
  read(step: Step, slot: Slot): Lanes
  /** What `read` widens and reduces: packed values of `sharedBits` bits, there until `release`. */
  packed(step: Step, slot: Slot): Uint8Array
  /** What `packed` gave has been read. */
  release(): void
  /** A slot of 8 bits. */
  bytes(step: Step, slot: Slot): Uint8Array
  /** Entries of the tables of elements `first` and on, one each. */
  lookup(step: Step, slot: Slot, index: Uint32Array, first: number): Lanes
  /** Nothing of this step will be read again. */
  forget(step: Step): void
}
