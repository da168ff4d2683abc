/**
 * A pass's material as a byte stream from dealer to server: which pass it is for (48 bytes, `pass-binding.ts`), 32 bytes of
 * the server's mask key for this pass, then every step's corrections in plan order, row chunk by row chunk. Lengths follow
 * from the plan, so nothing but the bytes is sent.
 */
import { equalBytes } from '../../../handshake/encoding.ts'
import type { Kernels } from '../../../kernels/kernels.ts'
import { limits } from '../../../transport/limits.ts'
import { PackedCorrections } from '../correlations/packed.ts'
import { Rope } from '../correlations/rope.ts'
import { stepDealtBytes } from '../cost.ts'
import type { Plan } from '../plan.ts'
import type { Shape } from '../shape.ts'
import type { Step } from '../step.ts'
import { BINDING_BYTES } from './pass-binding.ts'
import { PassError } from './pass-messages.ts'

/** Bytes of the server's mask key, new for every pass. */
export const KEY_BYTES = 32
/** What comes before the corrections. */
export const HEAD_BYTES = BINDING_BYTES + KEY_BYTES
/**
 * Largest chunk: with the header of its message it travels in one frame, which nobody has to put together again, and
 * its copies on the way stay in the processor's cache. A multiple of 8 keeps material aligned.
 */
export const CHUNK_BYTES = limits.chunkBytes - 32

/**
 * Cuts what is written into chunks of `CHUNK_BYTES`. A chunk is a view of what was written, or of memory that is used
 * again: it is good until the sink's promise resolves.
 */
export class ChunkWriter {
  readonly #sink: (chunk: Uint8Array) => Promise<void>
  /** What does not fill a chunk yet. */
  readonly #rest = new Uint8Array(CHUNK_BYTES)
  #used = 0

  constructor(sink: (chunk: Uint8Array) => Promise<void>) {
    this.#sink = sink
  }

  /** Resolves when all but what does not fill a chunk has gone to the sink. */
  async write(bytes: Uint8Array): Promise<void> {
    let at = 0
    while (at < bytes.length) {
      const whole = this.#used === 0 && bytes.length - at >= CHUNK_BYTES
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#used)
      at += part.length
      if (whole) {
        await this.#sink(part)
        continue
      }
      this.#rest.set(part, this.#used)
      this.#used += part.length
      if (this.#used === CHUNK_BYTES) await this.flush()
    }
  }

  /** Sends what is left, a chunk shorter than the others. */
  async flush(): Promise<void> {
    if (this.#used === 0) return
    const chunk = this.#rest.subarray(0, this.#used)
    this.#used = 0
    await this.#sink(chunk)
  }
}

/** The server's end: hands the stream's bytes to the steps they belong to. */
export class MaterialReader {
  /** Of each row chunk. */
  readonly corrections: readonly PackedCorrections[]
  readonly #rowChunks: readonly Shape[]
  readonly #steps: readonly Step[]
  readonly #next: () => Promise<Uint8Array>
  readonly #onBytes?: (bytes: Uint8Array, isKept: boolean) => void
  /** Corrections taken so far: a step's for each row chunk. */
  #at = 0
  /** What is left of the chunk that was read last. */
  #rest: Uint8Array = new Uint8Array()
  /** Bytes taken so far. */
  received = 0

  /** @param onBytes hears of everything that is taken, in its order, and whether masks of cached values go into it */
  constructor(
    plan: Plan,
    rowChunks: readonly Shape[],
    kernels: Kernels,
    next: () => Promise<Uint8Array>,
    onBytes?: (bytes: Uint8Array, isKept: boolean) => void,
  ) {
    this.corrections = rowChunks.map((shape) => new PackedCorrections(kernels, shape))
    this.#rowChunks = rowChunks
    this.#steps = plan.steps.filter((s) => s.slots.length > 0)
    this.#next = next
    this.#onBytes = onBytes
  }

  /** This pass's key of the server's masks. Rejects with `PassError` where the stream was dealt for another pass. */
  async key(binding: Uint8Array): Promise<Uint8Array> {
    const head = await this.#take(HEAD_BYTES, false)
    if (!equalBytes(head.slice(0, BINDING_BYTES), binding))
      throw new PassError('pass-mismatch', 'The dealer was asked for another pass than the server.')
    return head.slice(BINDING_BYTES, HEAD_BYTES)
  }

  /** Whether nothing has to be read for a step any more. */
  has(rowChunk: number, step: Step): boolean {
    return step.slots.length === 0 || this.corrections[rowChunk].has(step)
  }

  /** Reads on until a step's corrections for a row chunk are there. */
  async reach(rowChunk: number, step: Step): Promise<void> {
    const rowChunks = this.#rowChunks.length
    while (!this.corrections[rowChunk].has(step)) {
      const next = this.#steps[Math.floor(this.#at / rowChunks)]
      const to = this.#at++ % rowChunks
      const size = stepDealtBytes(this.#rowChunks[to], next)
      this.corrections[to].put(next, await this.#take(size, next.attends !== undefined))
    }
  }

  async #take(n: number, isKept: boolean): Promise<Rope> {
    const parts: Uint8Array[] = []
    for (let missing = n; missing > 0; ) {
      if (this.#rest.length === 0) {
        this.#rest = await this.#next()
        this.received += this.#rest.length
      }
      const part = this.#rest.subarray(0, missing)
      this.#rest = this.#rest.subarray(part.length)
      this.#onBytes?.(part, isKept)
      parts.push(part)
      missing -= part.length
    }
    return new Rope(parts)
  }
}
