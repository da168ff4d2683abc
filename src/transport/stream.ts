/** The two directions of a reliable stream of messages, without any input or output of their own. */
import { concatBytes } from '@noble/hashes/utils.js'
import { LinkError } from './errors.ts'
import { encodeFrame, type Frame, FrameFlag, FrameType, HEADER_BYTES } from './frame.ts'
import { limits } from './limits.ts'

interface Pending {
  seq: number
  bytes: Uint8Array
  /** The memory that the frame was made in, where another can be made in it. */
  room?: Uint8Array
}

/** Memory of acknowledged frames that is kept, as a part of the window. */
const SPARE = 1 / 8

/**
 * Outgoing half: frames stay here until the peer has acknowledged them. A resend hands out the *same* byte arrays: a
 * message made anew could carry other masked words under a mask that was already used.
 */
export class Outgoing {
  /** Sequence number of the last frame made. */
  last = 0
  /** Unacknowledged, frames' fixed costs included. */
  bytes = 0
  /** Bytes that may be unacknowledged before `room` waits. */
  window: number = limits.windowBytes
  #pending: Pending[] = []
  readonly #spare: Uint8Array[] = []
  readonly #waiters: { resolve: () => void; reject: (error: Error) => void }[] = []

  /** Cuts a message into frames. `ack` is what we had received when it was made; a stale value is harmless. */
  push(message: Uint8Array, reply: boolean, ack: number): void {
    if (message.length > limits.messageBytes) {
      throw new LinkError('oversized', `A message of ${message.length} bytes is above the limit.`)
    }
    if (this.bytes > this.window + limits.messageBytes) {
      throw new LinkError('overflow', 'Too many messages wait to be sent.')
    }
    let offset = 0
    do {
      const payload = message.subarray(offset, offset + limits.chunkBytes)
      offset += limits.chunkBytes
      const end = offset >= message.length
      const flags = (end ? FrameFlag.end : 0) | (reply ? FrameFlag.reply : 0)
      if (this.last === 0xffffffff)
        throw new LinkError('overflow', 'The link has used all of its sequence numbers.')
      const room = this.#roomFor(payload.length)
      const bytes = encodeFrame({ type: FrameType.data, flags, seq: ++this.last, ack, payload }, room)
      this.#pending.push({ seq: this.last, bytes, room })
      this.bytes += bytes.length + limits.frameCost
    } while (offset < message.length)
  }

  /** Forgets what the peer has. Throws `LinkError` if it claims more than was ever sent. */
  acknowledge(ack: number): void {
    if (ack > this.last)
      throw new LinkError('malformed', 'The peer acknowledged a message that was never sent.')
    let count = 0
    while (count < this.#pending.length && this.#pending[count].seq <= ack) {
      const { bytes, room } = this.#pending[count++]
      this.bytes -= bytes.length + limits.frameCost
      if (room && this.#spare.length * room.length < SPARE * this.window) this.#spare.push(room)
    }
    if (count === 0) return
    this.#pending = this.#pending.slice(count)
    if (this.bytes <= this.window) for (const { resolve } of this.#waiters.splice(0)) resolve()
  }

  /** Memory for a large frame; a stream of them would otherwise keep the garbage collector busy. */
  #roomFor(length: number): Uint8Array | undefined {
    if (length < limits.chunkBytes / 2) return undefined
    return this.#spare.pop() ?? new Uint8Array(HEADER_BYTES + limits.chunkBytes)
  }

  /** The first unacknowledged frame after `seq`. */
  after(seq: number): Pending | undefined {
    const first = this.#pending[0]
    return first && this.#pending[Math.max(0, seq + 1 - first.seq)]
  }

  /** Unacknowledged frames after `seq`, as many as one body takes, and the last one's number; the rest follows in the next. */
  batchAfter(seq: number): { frames: Uint8Array[]; last: number } {
    const frames: Uint8Array[] = []
    let last = seq
    let room = limits.postBytes - limits.chunkBytes
    for (let next = this.after(seq); next && frames.length < limits.postFrames - 1; next = this.after(last)) {
      room -= next.bytes.length
      if (room < 0) break
      frames.push(next.bytes)
      last = next.seq
    }
    return { frames, last }
  }

  /** Resolves when the window has room. */
  room(): Promise<void> {
    if (this.bytes <= this.window) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  /** Forgets all frames, and rejects whoever waits for room. */
  fail(error: Error): void {
    this.#pending = []
    this.#spare.length = 0
    this.bytes = 0
    for (const { reject } of this.#waiters.splice(0)) reject(error)
  }
}

/** Incoming half: checks order, drops duplicates, puts chunks together. */
export class Incoming {
  /** Highest sequence number received without a gap. */
  last = 0
  /** Largest next message; after it the usual limit holds. */
  limit: number = limits.messageBytes
  #chunks: Uint8Array[] = []
  #size = 0

  /** What is kept of a message that is not complete, its frames' fixed costs included. */
  get held(): number {
    return this.#size + this.#chunks.length * limits.frameCost
  }

  /** Returns a message when its last chunk arrives. Throws `LinkError` on a gap or an oversized message. */
  accept(frame: Frame): { message: Uint8Array; reply: boolean } | undefined {
    if (frame.seq <= this.last) return undefined
    if (frame.seq !== this.last + 1) {
      throw new LinkError('gap', `Frame ${frame.seq} arrived where ${this.last + 1} was expected.`)
    }
    const { payload } = frame
    const isLast = (frame.flags & FrameFlag.end) !== 0
    if (payload.length === 0 && !isLast) throw new LinkError('malformed', 'A part of a message is empty.')
    // Frames cost what they cost: a message in as few of them as it needs always fits, one in tiny parts does not.
    const most = this.limit + limits.frameCost * Math.max(1, Math.ceil(this.limit / limits.chunkBytes))
    if (this.#size + payload.length > this.limit || this.held + payload.length + limits.frameCost > most) {
      throw new LinkError('oversized', 'A message grew above the limit.')
    }
    this.last = frame.seq
    // A frame with memory of its own is handed on as it is. Slices of pooled memory, at any alignment, are copied: a
    // small one would keep all of it.
    this.#chunks.push(ownsMemory(payload) ? payload : payload.slice())
    this.#size += payload.length
    if (!isLast) return undefined
    const message = this.#chunks.length === 1 ? this.#chunks[0] : concatBytes(...this.#chunks)
    this.#chunks = []
    this.#size = 0
    this.limit = limits.messageBytes
    return { message, reply: (frame.flags & FrameFlag.reply) !== 0 }
  }
}

/** Nothing but a frame's header, and so no misalignment, comes with these bytes. */
const ownsMemory = ({ buffer, byteOffset, byteLength }: Uint8Array): boolean =>
  byteOffset === HEADER_BYTES && buffer.byteLength === HEADER_BYTES + byteLength
