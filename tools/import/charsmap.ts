/** SentencePiece's compiled normalisation rules: a double-array trie of UTF-8 sequences, and what they become. */

/** What a `precompiled_charsmap` (base64) makes of single characters; nothing where it has no rule. */
export class Charsmap {
  readonly #units: Uint32Array
  readonly #replacements: Uint8Array

  /** Throws `RangeError` for what is no such map. */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64')
    const length = bytes.length < 4 ? 0 : bytes.readUInt32LE(0)
    if (length === 0 || length % 4 !== 0 || 4 + length > bytes.length)
      throw new RangeError('The compiled normalisation rules are damaged.')
    this.#units = Uint32Array.from({ length: length / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i))
    this.#replacements = bytes.subarray(4 + length)
  }

  /** The shortest rule that a character begins with, as SentencePiece's Rust reader takes it. */
  replacement(character: string): string | undefined {
    let at = offsetOf(this.#units[0])
    for (const byte of new TextEncoder().encode(character)) {
      at ^= byte
      const unit = this.#units[at]
      // A leaf's bit marks it as one; otherwise the low byte is the label.
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined
      at ^= offsetOf(unit)
      if ((unit & 0x100) !== 0) return this.#text(this.#units[at] & 0x7fffffff)
    }
    return undefined
  }

  #text(from: number): string {
    const end = this.#replacements.indexOf(0, from)
    return new TextDecoder().decode(this.#replacements.subarray(from, end < 0 ? undefined : end))
  }
}

/** Darts-clone's unit: the distance to its children. */
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)
