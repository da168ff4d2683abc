/** Each party's access to its side of what was dealt. */
import type { Kernels } from '../../../kernels/kernels.ts'
import { stepDealtBytes } from '../cost.ts'
import { type Slot, slotBytes, slotValues } from '../dealt.ts'
import type { Prg } from '../prg.ts'
import type { Lanes } from '../ring.ts'
import { rowCount, type Shape } from '../shape.ts'
import type { Step } from '../step.ts'
import type { Role } from '../values.ts'
import { slotIndex, slotLanes, slotStream, slotWidth, slotWords } from './material.ts'
import { Pieces } from './pieces.ts'

/** Bits that each value of a party's share of a slot takes in `Correlations.packed`. */
export const sharedBits = (role: Role, slot: Slot): number =>
  role === 'owner' ? 8 * slotWidth(slot) : slot.bits

/** A party's access to its side of the dealt correlations. */
export interface Correlations {
  read(step: Step, slot: Slot): Lanes
  /** The same before it is widened and reduced: packed values of `sharedBits` bits, there until `release`. */
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

/** The owner expands its side from the session's key. */
export class SeededCorrelations implements Correlations {
  readonly #prg: Prg
  readonly #shape: Shape

  constructor(prg: Prg, shape: Shape) {
    this.#prg = prg
    this.#shape = shape
  }

  read(step: Step, slot: Slot): Lanes {
    return slotLanes(this.#prg, this.#shape, step, slot)
  }

  packed(step: Step, slot: Slot): Uint8Array {
    return slotWords(this.#prg, this.#shape, step, slot, (bytes) => this.#prg.scratch.take(bytes))
  }

  release(): void {
    this.#prg.scratch.release()
  }

  bytes(step: Step, slot: Slot): Uint8Array {
    return slotWords(this.#prg, this.#shape, step, slot)
  }

  lookup(step: Step, slot: Slot, index: Uint32Array, first: number): Lanes {
    const { entries = 1, words = 1, bits } = slot
    const stream = slotStream(step, slot)
    const rows: { serial: number; count: number }[] = []
    const firsts = new Float64Array(index.length)
    for (let r = 0, start = -first; r < this.#shape.rows && start < index.length; r++) {
      const n = rowCount(this.#shape, r, slot.layout, slot.width)
      const from = Math.max(start, 0)
      const end = Math.min(start + n, index.length)
      if (end > from) rows.push({ serial: this.#shape.serial + r, count: end - from })
      for (let i = from; i < end; i++) firsts[i] = ((i - start) * entries + index[i]) * words
      start += n
    }
    return this.#prg.windows(stream, rows, firsts, words, bits)
  }

  forget(): void {}
}

/** The server reads the dealer's packed corrections; tables stay packed and only the opened entry is unpacked. */
export class PackedCorrections implements Correlations {
  readonly #kernels: Kernels
  readonly #shape: Shape
  readonly #bytes = new Map<number, Pieces>()

  constructor(kernels: Kernels, shape: Shape) {
    this.#kernels = kernels
    this.#shape = shape
  }

  /** Takes a step's corrections. Throws `RangeError` when their length is not the declared one. */
  put(step: Step, bytes: Pieces | Uint8Array): void {
    const declared = stepDealtBytes(this.#shape, step)
    if (bytes.length !== declared)
      throw new RangeError(`step ${step.id} (${step.op}): ${bytes.length} bytes dealt, ${declared} declared`)
    this.#bytes.set(step.id, bytes instanceof Pieces ? bytes : new Pieces([bytes]))
  }

  has(step: Step): boolean {
    return step.slots.length === 0 || this.#bytes.has(step.id)
  }

  read(step: Step, slot: Slot): Lanes {
    return this.#kernels.unpack(this.#part(step, slot), slot.bits, slotValues(this.#shape, slot))
  }

  packed(step: Step, slot: Slot): Uint8Array {
    return this.#part(step, slot)
  }

  release(): void {}

  bytes(step: Step, slot: Slot): Uint8Array {
    return this.#part(step, slot)
  }

  lookup(step: Step, slot: Slot, index: Uint32Array, first: number): Lanes {
    const { entries = 1, words = 1, bits } = slot
    const size = (words * bits) / 8
    const start = this.#start(step, slot) + first * entries * size
    const picked = this.#of(step).pick(start, entries, index, size)
    return this.#kernels.unpack(picked, bits, index.length * words)
  }

  forget(step: Step): void {
    this.#bytes.delete(step.id)
  }

  #part(step: Step, slot: Slot): Uint8Array {
    const start = this.#start(step, slot)
    return this.#of(step).slice(start, start + slotBytes(this.#shape, slot))
  }

  #of(step: Step): Pieces {
    const bytes = this.#bytes.get(step.id)
    if (!bytes) throw new RangeError(`step ${step.id} (${step.op}): nothing dealt yet`)
    return bytes
  }

  /** Where a slot's bytes begin among those of its step. */
  #start(step: Step, slot: Slot): number {
    const before = step.slots.slice(0, slotIndex(step, slot))
    return before.reduce((sum, s) => sum + slotBytes(this.#shape, s), 0)
  }
}
