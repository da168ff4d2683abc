/** Memory of a pass's values that are over, for those that come after them. */
import type { OpKernels } from '../../../kernels/kernels.ts'

/** Smaller arrays cost an engine little. */
const LEAST_BYTES = 16 << 10
/** What is kept for later values at most: those of a layer come in the same few sizes. */
const MOST_SPARE_BYTES = 32 << 20

/**
 * Arrays that one pass makes, uses and takes back. New memory for every value would be cleared, touched page by page and
 * collected again, which takes as long as what is computed in it; and engines collect by what large arrays take, however
 * few they are.
 */
export class Reuse {
  readonly #spare = new Map<number, ArrayBuffer[]>()
  /** Handed out, and known to nobody but the pass. What is never given back is the engine's to collect. */
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #spareBytes = 0

  /** Memory of so many bytes with whatever was there. */
  readonly take = (bytes: number): ArrayBuffer => {
    if (bytes < LEAST_BYTES) return new ArrayBuffer(bytes)
    const spare = this.#spare.get(bytes)?.pop()
    if (spare) this.#spareBytes -= bytes
    const memory = spare ?? new ArrayBuffer(bytes)
    this.#lent.add(memory)
    return memory
  }

  /** Whether an array's memory is from here, and not given back yet. */
  has(array: ArrayBufferView): boolean {
    return this.#lent.has(array.buffer)
  }

  /** Takes back the memory of an array that nobody reads any more; of arrays from elsewhere it leaves hands off. */
  give({ buffer }: ArrayBufferView): void {
    if (!this.#lent.delete(buffer)) return
    const bytes = buffer.byteLength
    if (this.#spareBytes + bytes > MOST_SPARE_BYTES) return
    const spare = this.#spare.get(bytes) ?? []
    this.#spare.set(bytes, spare)
    spare.push(buffer as ArrayBuffer)
    this.#spareBytes += bytes
  }

  /** The kernels' arithmetic, whose programs make their results in this memory. */
  kernels(own: OpKernels): OpKernels {
    return { ...own, evaluate: (p, operands, count) => own.evaluate(p, operands, count, this.take) }
  }
}
