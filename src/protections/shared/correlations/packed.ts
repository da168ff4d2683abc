import type { Kernels } from '../../../kernels/kernels.ts'
import { stepDealtBytes } from '../cost.ts'
import { type Slot, slotBytes, slotValues } from '../dealt.ts'
import type { Lanes } from '../ring.ts'
import type { Shape } from '../shape.ts'
import type { Step } from '../step.ts'
import type { Correlations } from './correlations.ts'
import { slotIndex } from './keystreams.ts'
import { Rope } from './rope.ts'

/** The server reads the dealer's packed corrections; tables stay packed and only the opened entry is unpacked. */
export class PackedCorrections implements Correlations {
  readonly #kernels: Kernels
  readonly #shape: Shape
  readonly #bytes = new Map<number, Rope>()

  constructor(kernels: Kernels, shape: Shape) {
    this.#kernels = kernels
    this.#shape = shape
  }

  /** Takes a step's corrections. Throws `RangeError` when their length is not the declared one. */
  put(step: Step, bytes: Rope | Uint8Array): void {
    const declared = stepDealtBytes(this.#shape, step)
    if (bytes.length !== declared)
      throw new RangeError(`step ${step.id} (${step.op}): ${bytes.length} bytes dealt, ${declared} declared`)
    this.#bytes.set(step.id, bytes instanceof Rope ? bytes : new Rope([bytes]))
  }

  /** Whether a step's corrections are there; a step without slots needs none. */
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

  /** Unpacks the opened entries alone: words mod 2^bits. Throws `RangeError` before the step was dealt. */
  lookup(step: Step, slot: Slot, index: Uint32Array, first: number): Lanes {
    const { entries = 1, words = 1, bits } = slot
    const size = (words * bits) / 8
    if (!Number.isInteger(size)) {
      const from = this.#start(step, slot) + first * entries * size
      return this.#of(step).pickBits(from, entries, index, words, bits)
    }
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

  #of(step: Step): Rope {
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
