/** Frames out of a body that arrives in pieces of any size. */
import { LinkError } from './errors.ts'
import { frameLength, HEADER_BYTES } from './frame.ts'
import { limits } from './limits.ts'

/**
 * Cuts concatenated frames apart as their bytes come, each in memory of its own: what is kept of one keeps nothing of its
 * neighbours.
 */
export class FrameReader {
  /** Bytes that the body may have; it may be raised once more is known of its sender. */
  limit: number
  readonly #header = new Uint8Array(HEADER_BYTES)
  #frame: Uint8Array | undefined
  /** Bytes of the current frame, and of all. */
  #have = 0
  #bytes = 0
  #frames = 0

  constructor(limit: number = limits.postBytes) {
    this.limit = limit
  }

  /** The frames that these bytes complete. Throws `LinkError`: `corrupt`, or `oversized` beyond what a body may have. */
  *cut(bytes: Uint8Array): Generator<Uint8Array, void, void> {
    for (let at = 0; at < bytes.length; ) {
      const into: Uint8Array = this.#frame ?? this.#header
      const part = bytes.subarray(at, at + into.length - this.#have)
      this.#bytes += part.length
      if (this.#bytes > this.limit) throw new LinkError('oversized', 'The body is above the limit.')
      into.set(part, this.#have)
      at += part.length
      this.#have += part.length
      if (this.#have < into.length) return
      if (!this.#frame) {
        const frame = new Uint8Array(frameLength(this.#header, 0))
        frame.set(this.#header)
        this.#frame = frame
        if (this.#have < frame.length) continue
      }
      if (++this.#frames > limits.postFrames)
        throw new LinkError('oversized', 'The body has more frames than one may have.')
      const whole = this.#frame
      this.#frame = undefined
      this.#have = 0
      yield whole
    }
  }

  /** Throws `LinkError` `truncated` unless the body ended exactly with a frame. */
  end(): void {
    if (this.#have > 0) throw new LinkError('truncated', 'A body ended inside a frame.')
  }
}
