import { KernelError } from '../error.ts'

const PAGE = 65536
/** 4 GiB less one page, so that an end address still fits 32 bits. */
export const WASM_BYTES = 65535 * PAGE

interface Span {
  at: number
  size: number
}

/**
 * First-fit allocator over a WebAssembly memory. It lives outside the module so that memory grows by what is
 * needed (a doubling allocator would ask for 2 GiB to hold 1.1) and freed neighbours join again.
 */
export class Arena {
  readonly memory: WebAssembly.Memory
  #spare: Span[]
  readonly #taken = new Map<number, number>()
  #end: number

  constructor(memory: WebAssembly.Memory, start: number) {
    this.memory = memory
    const from = align(start)
    this.#end = memory.buffer.byteLength
    this.#spare = [{ at: from, size: this.#end - from }]
  }

  /** Bytes handed out and not yet freed. */
  get used(): number {
    let sum = 0
    for (const size of this.#taken.values()) sum += size
    return sum
  }

  /** Address of `bytes` fresh bytes, 64-byte aligned, contents undefined. Views made earlier may be detached. */
  alloc(bytes: number): number {
    const size = align(Math.max(bytes, 1))
    let index = this.#spare.findIndex((span) => span.size >= size)
    if (index < 0) {
      this.#grow(size)
      index = this.#spare.length - 1
    }
    const span = this.#spare[index]
    const at = span.at
    if (span.size === size) this.#spare.splice(index, 1)
    else this.#spare[index] = { at: at + size, size: span.size - size }
    this.#taken.set(at, size)
    return at
  }

  free(at: number): void {
    const size = this.#taken.get(at)
    if (size === undefined) throw new KernelError(`nothing is allocated at ${at}`)
    this.#taken.delete(at)
    let index = this.#spare.findIndex((span) => span.at > at)
    if (index < 0) index = this.#spare.length
    const joined = { at, size }
    const next = this.#spare[index]
    if (next && next.at === at + size) {
      joined.size += next.size
      this.#spare.splice(index, 1)
    }
    const before = this.#spare[index - 1]
    if (before && before.at + before.size === at) before.size += joined.size
    else this.#spare.splice(index, 0, joined)
  }

  /** Makes the last spare span hold at least `size` bytes. */
  #grow(size: number): void {
    const last = this.#spare.at(-1)
    const tail = last && last.at + last.size === this.#end ? last : undefined
    const pages = Math.ceil((size - (tail?.size ?? 0)) / PAGE)
    const end = this.#end + pages * PAGE
    try {
      if (end > WASM_BYTES) throw new RangeError('past 4 GiB')
      this.memory.grow(pages)
    } catch (cause) {
      throw new KernelError(`out of memory: ${size} bytes more than ${this.used} in use`, { cause })
    }
    if (tail) this.#spare[this.#spare.length - 1] = { at: tail.at, size: tail.size + pages * PAGE }
    else this.#spare.push({ at: this.#end, size: pages * PAGE })
    this.#end = end
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}
