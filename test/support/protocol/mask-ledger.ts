/** Every block of every keystream that a party reads, noted at the kernels: below whatever names masks and rows. */
import type { Kernels } from '../../../src/kernels/kernels.ts'

/** ChaCha20's. */
const BLOCK = 64

/** What was read of one key's stream for one row. */
interface Reads {
  readonly key: string
  readonly stream: number
  readonly serial: number
  /** How often each block was read. */
  readonly times: number[]
}

/** How often one row's stream was read: its most read block. */
export interface Reading {
  readonly key: string
  readonly stream: number
  readonly serial: number
  readonly times: number
}

/** What one party has consumed, deriving keys included. */
export class MaskLedger {
  readonly kernels: Kernels
  readonly #base: Kernels
  readonly #reads = new Map<string, Reads>()

  constructor(base: Kernels) {
    this.#base = base
    const keystream: Kernels['keystream'] = (key, nonce, offset, out) => {
      const view = new DataView(nonce.buffer, nonce.byteOffset)
      const end = offset + out.length
      const reads = this.#of(key, view.getUint32(0, true), Number(view.getBigUint64(4, true)))
      for (let block = Math.floor(offset / BLOCK); block * BLOCK < end; block++) note(reads, block)
      this.#base.keystream(key, nonce, offset, out)
    }
    const blocks: Kernels['blocks'] = (key, stream, places) => {
      // Entries of neighbouring tables may lie in one block: one call reads them for one slot.
      const seen = new Set<string>()
      for (let i = 0; i < places.length; i += 3) {
        const serial = places[i + 1] + places[i + 2] * 2 ** 32
        const place = `${places[i]} ${serial}`
        if (!seen.has(place)) note(this.#of(key, stream, serial), places[i])
        seen.add(place)
      }
      return this.#base.blocks(key, stream, places)
    }
    const own: Partial<Kernels> = { keystream, blocks }
    this.kernels = new Proxy(base, {
      get: (target, name) => Reflect.get(own, name) ?? Reflect.get(target, name),
    })
  }

  /** Everything that was read, row by row of each stream. */
  get readings(): Reading[] {
    return [...this.#reads.values()].map(({ times, ...row }) => ({
      ...row,
      times: times.reduce((most, n) => Math.max(most, n ?? 0), 0),
    }))
  }

  #of(key: Uint8Array, stream: number, serial: number): Reads {
    const hex = Buffer.from(key).toString('hex')
    const name = `${hex} ${stream} ${serial}`
    const known = this.#reads.get(name) ?? { key: hex, stream, serial, times: [] }
    this.#reads.set(name, known)
    return known
  }
}

function note({ times }: Reads, block: number): void {
  times[block] = (times[block] ?? 0) + 1
}
