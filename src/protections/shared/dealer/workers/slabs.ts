/** Material on its way to the main thread: cut into slabs, of which few are under way. */
import { transfer } from 'comlink'
import { CHUNK_BYTES } from '../../session/material-stream.ts'
import type { Turn } from '../../session/turn.ts'
import type { SlabSink } from './api.ts'

/** Whole chunks, so that the main thread cuts them as the pass did. */
export const SLAB_BYTES = 8 * CHUNK_BYTES
/** Slabs that the main thread may have and not yet have sent. */
const UNDER_WAY = 4

/** Of one session's passes, one after another; memory that came back is used again. */
export class Slabs {
  readonly #sink: SlabSink
  readonly #spare: ArrayBuffer[] = []
  #pass = 0
  #underWay: Promise<void>[] = []
  #slab: Uint8Array<ArrayBuffer> | undefined
  #used = 0
  #refused: unknown

  constructor(sink: SlabSink) {
    this.#sink = sink
  }

  /** What comes from here on is of this pass; what was left of the one before is forgotten. */
  begin(pass: number): void {
    this.#pass = pass
    this.#used = 0
    this.#underWay = []
    this.#refused = undefined
  }

  /** Copies a chunk; resolves when there is room for the next. Rejects where the main thread takes no more of the pass. */
  async write(chunk: Uint8Array, turn: Turn): Promise<void> {
    if (this.#refused) throw this.#refused
    for (let at = 0; at < chunk.length; ) {
      this.#slab ??= new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(SLAB_BYTES))
      const part = chunk.subarray(at, at + SLAB_BYTES - this.#used)
      this.#slab.set(part, this.#used)
      this.#used += part.length
      at += part.length
      if (this.#used === SLAB_BYTES) await this.#send(turn)
    }
  }

  /** Resolves when everything has been sent on. */
  async end(turn: Turn): Promise<void> {
    await this.#send(turn)
    await turn.waiting(Promise.all(this.#underWay))
  }

  async #send(turn: Turn): Promise<void> {
    const slab = this.#slab?.subarray(0, this.#used)
    if (!slab?.length) return
    this.#slab = undefined
    this.#used = 0
    const pass = this.#pass
    const sent = this.#sink(pass, transfer(slab, [slab.buffer])).then(
      (memory) => void this.#spare.push(memory),
    )
    sent.catch((error) => {
      if (pass === this.#pass) this.#refused = error
    })
    this.#underWay.push(sent)
    const oldest = this.#underWay.length > UNDER_WAY ? this.#underWay.shift() : undefined
    if (oldest) await turn.waiting(oldest)
  }
}
