/** What the dealer deals: a step's slots, their sizes, and the forms in which an operation states their true values. */
import type { RotatingRows, RotationKernels } from '../../kernels/rotated.ts'
import type { Lanes } from './ring.ts'
import { count, type Layout, rowCount, type Shape } from './shape.ts'

/**
 * One dealt correlation: `width` elements a row, or a pair, of `entries` rows of `words` words each (a plain
 * correlation has one of both). The owner's share is its keystream; the server's, the correction, comes packed in
 * `bits` bits a word.
 */
export interface Slot {
  readonly name: string
  readonly layout: Layout
  readonly width: number
  readonly bits: number
  readonly entries?: number
  readonly words?: number
  /** The bits of a word are shared each for itself, mod 2: the correction is the true word, exclusive or the keystream. */
  readonly isBinary?: boolean
  /** A stream of its own instead of the step's, in 64-bit words as the owner's product kernels read them. */
  readonly stream?: number
}

/** Words of one element. */
const elementWords = ({ entries = 1, words = 1 }: Pick<Slot, 'entries' | 'words'>): number => entries * words

/** Words that a slot takes for one row. */
export const slotCount = (shape: Shape, row: number, slot: Slot): number =>
  rowCount(shape, row, slot.layout, slot.width) * elementWords(slot)

/** Words that a slot takes for all rows. */
export const slotValues = (shape: Shape, slot: Slot): number =>
  count(shape, slot.layout, slot.width) * elementWords(slot)

/** Bytes of a slot's correction on the dealer's wire. */
export const slotBytes = (shape: Shape, slot: Slot): number =>
  Math.ceil((slotValues(shape, slot) * slot.bits) / 8)

/** Tables too large to make at once: true values of `n` of the slot's elements from `first` on, mod 2^64. */
export interface DealtRows {
  fill(first: number, n: number, out: Lanes): void
}

/** `DealtRows` of which each element's table is a kept row, rotated as its mask says: see `RotationKernels.packRotated`. */
export interface DealtRotations extends DealtRows {
  readonly masks: Uint32Array
  kept(kernels: RotationKernels): RotatingRows
}

/** Tables of bytes (a slot of 8 bits) that are `rest` throughout but for one `single` in each, at its place there. */
export interface DealtSingles {
  readonly rest: number
  readonly single: number
  readonly places: Uint32Array
}

/** True values of a slot, mod 2^bits. */
export type Dealt = Lanes | DealtRows | DealtRotations | DealtSingles
