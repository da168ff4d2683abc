/**
 * Replaces the platform's random generator by SHA-256 in counter mode, so that what is drawn is the same in every run.
 * Each party draws under a name of its own, and each length counts by itself: a draw that moves at one party, or comes
 * earlier than another party's, changes nothing at the others.
 */
import crypto, { createHash } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

export type Drawer = 'dealer' | 'owner' | 'server' | 'splitter'

export class FixedRandom {
  readonly #drawn = new Map<string, number>()
  /** Who draws whatever is drawn outside of `as`. */
  readonly #usual: Drawer
  #drawer: Drawer

  private constructor(usual: Drawer) {
    this.#usual = usual
    this.#drawer = usual
  }

  /** From now on, until the next one is installed, all draws of this process are fixed. */
  static install(usual: Drawer): FixedRandom {
    const fixed = new FixedRandom(usual)
    globalThis.crypto.getRandomValues = (array) => fixed.#fill(array)
    Object.assign(crypto, {
      randomBytes: (length: number) => fixed.#fill(Buffer.alloc(length)),
      randomFillSync: (buffer: ArrayBufferView) => fixed.#fill(buffer),
    })
    // Programs import these by name, which would otherwise still mean the real ones.
    syncBuiltinESMExports()
    return fixed
  }

  /** Runs what draws as somebody else; nothing else may be under way where it takes its time. */
  async as<T>(drawer: Drawer, run: () => T | Promise<T>): Promise<T> {
    this.#drawer = drawer
    try {
      return await run()
    } finally {
      this.#drawer = this.#usual
    }
  }

  #fill<T extends ArrayBufferView | null>(array: T): T {
    if (!array) return array
    const out = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    const stream = `${this.#drawer} ${out.length}`
    const n = this.#drawn.get(stream) ?? 0
    this.#drawn.set(stream, n + 1)
    for (let at = 0; at < out.length; at += 32) {
      const block = createHash('sha256').update(`${stream} ${n} ${at}`).digest()
      out.set(block.subarray(0, out.length - at), at)
    }
    return array
  }
}

/** A key that is agreed on in production, and a constant here. */
export const fixedKey = (purpose: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`fixed ${purpose}`).digest())
