/** Keys and values of all texts that are under way, in one array a layer, so that neighbours can be read in one run. */
import { SessionError } from '../../../../handshake/errors.ts'

/** Room that a text begins with, in tokens; it doubles. */
const FIRST_ROOM = 64

/** What a token's keys and values take. */
export interface CacheSizes {
  readonly layers: number
  readonly kvHeads: number
  readonly width: number
  readonly context: number
}

/** Texts have places; all places have the same room, which is what the longest of them needs. */
export class Cache {
  /** Tokens that a place has room for. */
  room = 0
  readonly #sizes: CacheSizes
  readonly #budget: number
  /** Two arrays a layer, `[places, kvHeads, room, width]`. */
  #arrays: Float32Array<ArrayBuffer>[] = []
  #places = 0
  readonly #taken = new Set<number>()

  /** @param budget bytes of all places together */
  constructor(sizes: CacheSizes, budget: number) {
    this.#sizes = sizes
    this.#budget = budget
  }

  /** The first free place. Throws `SessionError` `too-many-sessions` where there is no memory for another. */
  take(): number {
    let place = 0
    while (this.#taken.has(place)) place++
    if (place >= this.#places) this.#resize(Math.max(1, 2 * this.#places), Math.max(this.room, FIRST_ROOM))
    this.#taken.add(place)
    return place
  }

  /** With the last one all memory goes. */
  release(place: number): void {
    this.#taken.delete(place)
    if (this.#taken.size > 0) return
    this.#arrays = []
    this.#places = this.room = 0
  }

  /** Makes room for so many tokens at every place. Throws as `take` does. */
  reserve(tokens: number): void {
    let { room } = this
    while (room < tokens) room *= 2
    if (room > this.room) this.#resize(this.#places, Math.min(room, this.#sizes.context))
  }

  /** One layer's keys (0) or values (1) at neighbouring places, as the engine reads and writes them. */
  view(layer: number, which: 0 | 1, place: number, count: number): Float32Array<ArrayBuffer> {
    const size = this.#placeSize(this.room)
    return this.#arrays[2 * layer + which].subarray(place * size, (place + count) * size)
  }

  #placeSize(room: number): number {
    return this.#sizes.kvHeads * room * this.#sizes.width
  }

  #resize(places: number, room: number): void {
    const { layers, kvHeads, width } = this.#sizes
    const size = this.#placeSize(room)
    if (8 * layers * places * size > this.#budget)
      throw new SessionError('too-many-sessions', 'The memory for texts that are under way is full.')
    const old = this.room * width
    const next = room * width
    for (let i = 0; i < 2 * layers; i++) {
      const grown = new Float32Array(places * size)
      const before = this.#arrays[i]
      for (let head = 0; before && head < this.#places * kvHeads; head++)
        grown.set(before.subarray(head * old, (head + 1) * old), head * next)
      this.#arrays[i] = grown
    }
    this.#places = places
    this.room = room
  }
}
