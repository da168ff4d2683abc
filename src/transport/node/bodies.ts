/** Room for request bodies that are being read: whoever posts many large ones at once must not fill the memory. */
import { limits } from '../limits.ts'

/** Bounds of `limits.bodiesBytes` in all and `limits.bodiesBytesPerPeer` for one address. */
export class Bodies {
  #total = 0
  readonly #byPeer = new Map<string, number>()

  /**
   * Takes room for a body by its announced length (without one, for the largest); the result gives it back. `undefined`
   * where there is none.
   */
  take(announced: string | undefined, peer: string): (() => void) | undefined {
    const length = Number(announced ?? Number.NaN)
    const bytes = length >= 0 && length <= limits.postBytes ? length : limits.postBytes
    const own = (this.#byPeer.get(peer) ?? 0) + bytes
    if (this.#total + bytes > limits.bodiesBytes || own > limits.bodiesBytesPerPeer) return undefined
    this.#total += bytes
    this.#byPeer.set(peer, own)
    return () => {
      this.#total -= bytes
      const left = (this.#byPeer.get(peer) ?? 0) - bytes
      if (left > 0) this.#byPeer.set(peer, left)
      else this.#byPeer.delete(peer)
    }
  }
}
