/** Digests that a person can read: how much there was, then its SHA-256, on one line. */
import { createHash } from 'node:crypto'

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * Messages of one direction of one pass, each with its length before it: a byte that moved from one message to the next
 * is another digest.
 */
export class Messages {
  readonly #hash = createHash('sha256')
  #count = 0
  #bytes = 0

  add(message: Uint8Array): void {
    this.#hash.update(Uint32Array.of(message.length)).update(message)
    this.#count++
    this.#bytes += message.length
  }

  toString(): string {
    return `${this.#count} messages, ${this.#bytes} bytes, ${this.#hash.copy().digest('hex')}`
  }
}

/** A stream whose cuts mean nothing: its bytes alone. */
export class Stream {
  readonly #hash = createHash('sha256')
  #bytes = 0

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.#bytes += chunk.length
  }

  toString(): string {
    return `${this.#bytes} bytes, ${this.#hash.copy().digest('hex')}`
  }
}

export function digestOfFloats(values: Float64Array | Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return `${values.length} values, ${sha256(bytes)}`
}
