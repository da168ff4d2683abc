import type { Slot } from '../dealt.ts'
import type { Prg } from '../prg.ts'
import type { Lanes } from '../ring.ts'
import { rowCount, type Shape } from '../shape.ts'
import type { Step } from '../step.ts'
import type { Correlations } from './correlations.ts'
import { slotLanes, slotStream, slotWords } from './keystreams.ts'

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

  /** Makes the keystream of the opened entries alone; which they are is public. */
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
