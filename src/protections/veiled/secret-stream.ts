/** Secret choices from a seed: permutations, signs and angles, the same for the same seed and purpose. Browser-safe. */
import { shake256 } from '@noble/hashes/sha3.js'
import { joinFields } from '../../handshake/encoding.ts'

/** Bytes squeezed at a time. */
const PIECE = 4096

const squeezed = (seed: Uint8Array, purpose: string) =>
  shake256.create().update(joinFields(['sotto veil 1', purpose, seed]))

/** 32 bytes for one purpose: who holds them learns nothing of the seed, nor of what it gives for other purposes. */
export const subSeed = (seed: Uint8Array, purpose: string): Uint8Array => squeezed(seed, purpose).xof(32)

/** SHAKE256 (FIPS 202) of seed and purpose, read as numbers. */
export class SecretStream {
  readonly #source: ReturnType<typeof squeezed>
  readonly #words = new Uint32Array(PIECE / 4)
  #at = this.#words.length

  constructor(seed: Uint8Array, purpose: string) {
    this.#source = squeezed(seed, purpose)
  }

  /** Uniform 32-bit integer. */
  word(): number {
    if (this.#at === this.#words.length) {
      const bytes = this.#source.xof(PIECE)
      const view = new DataView(bytes.buffer, bytes.byteOffset, PIECE)
      for (let i = 0; i < this.#words.length; i++) this.#words[i] = view.getUint32(4 * i, true)
      this.#at = 0
    }
    return this.#words[this.#at++]
  }

  /** Uniform integer in [0, n), n up to 2^32: words of the last, incomplete round are thrown away. */
  below(n: number): number {
    const most = 2 ** 32 - (2 ** 32 % n)
    let word = this.word()
    while (word >= most) word = this.word()
    return word % n
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  uniform(): number {
    return this.word() / 2 ** 32
  }

  /** Uniform among the permutations of n things that leave those `fixed` where they are (Fisher and Yates). */
  permutation(n: number, fixed: readonly number[] = []): Uint32Array<ArrayBuffer> {
    const out = Uint32Array.from({ length: n }, (_, i) => i)
    const still = new Set(fixed)
    const free = still.size === 0 ? out.slice() : out.filter((i) => !still.has(i))
    for (let i = free.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const [a, b] = [out[free[i]], out[free[j]]]
      out[free[i]] = b
      out[free[j]] = a
    }
    return out
  }

  /** n values of 1 or -1. */
  signs(n: number): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length: n }, () => (this.word() & 1 ? 1 : -1))
  }
}
