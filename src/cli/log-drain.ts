/**
 * Where a long-running process logs to: lines wait in bounded memory while they are written, and are dropped and counted
 * where nobody reads them or the disk is full. Logging never throws, and never holds the process up.
 */
import { constants, openSync, write, writeSync } from 'node:fs'

/** `write` as of `node:fs`, on a descriptor of its own. */
export interface Sink {
  write(bytes: Uint8Array, done: (error: NodeJS.ErrnoException | null, written: number) => void): void
  /** At the end of the process, where nothing can be awaited. Throws as it likes. */
  writeNow(bytes: Uint8Array): void
}

/** Bytes of lines that wait; one line is a few hundred. */
const HELD_BYTES = 1024 * 1024
const RETRY_MS = 100

export class LogDrain {
  readonly #sink: Sink
  readonly #heldBytes: number
  #lines: Buffer[] = []
  #held = 0
  /** What is being written, or is to be written again. */
  #current: Buffer | undefined
  #isWriting = false
  #retry: ReturnType<typeof setTimeout> | undefined
  #dropped = 0

  constructor(sink: Sink = standardError(), heldBytes = HELD_BYTES) {
    this.#sink = sink
    this.#heldBytes = heldBytes
  }

  /** Lines dropped that the log does not tell of yet. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#held + bytes.length > this.#heldBytes) {
      this.#dropped++
      return
    }
    this.#lines.push(bytes)
    this.#held += bytes.length
    this.#next()
  }

  /** What waits, if the other side takes it at once. */
  end(): void {
    clearTimeout(this.#retry)
    if (this.#isWriting) return
    const rest = Buffer.concat([...(this.#current ? [this.#current] : []), ...this.#lines.splice(0)])
    try {
      if (rest.length > 0) this.#sink.writeNow(rest)
    } catch {
      // There is nobody left to tell.
    }
  }

  #next(): void {
    if (this.#isWriting || this.#retry) return
    if (!this.#current) {
      if (this.#lines.length === 0) return
      if (this.#dropped > 0) this.#lines.push(this.#notice())
      this.#current = Buffer.concat(this.#lines.splice(0))
    }
    this.#isWriting = true
    this.#sink.write(this.#current, (error, written) => this.#wrote(error, written))
  }

  #wrote(error: NodeJS.ErrnoException | null, written: number): void {
    this.#isWriting = false
    if (error) {
      this.#failed(error)
      return
    }
    const rest = this.#current?.subarray(written)
    this.#held -= written
    this.#current = rest?.length ? rest : undefined
    this.#next()
  }

  /** A full pipe may be read soon; what a full disk has no room for is not worth its memory. */
  #failed({ code }: NodeJS.ErrnoException): void {
    if (code !== 'EAGAIN') {
      this.#dropped += countLines(this.#current)
      this.#held -= this.#current?.length ?? 0
      this.#current = undefined
    }
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#next()
    }, RETRY_MS)
    this.#retry.unref()
  }

  #notice(): Buffer {
    const line = {
      level: 40,
      time: new Date().toISOString(),
      dropped: this.#dropped,
      msg: 'log lines dropped',
    }
    this.#dropped = 0
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
    this.#held += bytes.length
    return bytes
  }
}

const countLines = (bytes: Buffer = Buffer.alloc(0)): number =>
  bytes.reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0)

/**
 * Standard error, which does not wait for its reader: opened anew, so that whoever shares the pipe is not changed. Where
 * that is not possible, as with sockets, a thread of the pool waits.
 */
function standardError(): Sink {
  let fd = 2
  try {
    fd = openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK)
  } catch {
    // Not a file, pipe or terminal, or no Linux.
  }
  return {
    write: (bytes, done) => write(fd, bytes, (error, written) => done(error, written)),
    writeNow: (bytes) => void writeSync(fd, bytes),
  }
}
