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

/** Bytes of one token's keys and values in all layers. */
export const tokenBytes = ({ layers, kvHeads, width }: CacheSizes): number => 8 * layers * kvHeads * width

/** Texts have places; all places have the same room, which is what the longest of them needs. */
export class Cache {
  /** Tokens that a place has room for. */
  room = 0
  readonly #sizes: CacheSizes
  readonly #budget: number
  /** Two arrays a layer, `[places, kvHeads, room, width]`. */
  #arrays: Float32Array<ArrayBuffer>[] = []
  #places = 0
  /** Tokens that the text at each taken place has asked for room for. */
  readonly #taken = new Map<number, number>()

  /** @param budget bytes of all places together */
  constructor(sizes: CacheSizes, budget: number) {
    this.#sizes = sizes
    this.#budget = budget
  }

  /** The first free place. Throws `SessionError` `too-many-sessions` where there is no memory for another. */
  take(): number {
    let place = 0
    while (this.#taken.has(place)) place++
    if (place >= this.#places) this.#grow(place)
    this.#taken.set(place, 0)
    return place
  }

  /** With the last one all memory goes. */
  release(place: number): void {
    this.#taken.delete(place)
    if (this.#taken.size > 0) return
    this.#arrays = []
    this.#places = this.room = 0
  }

  /** Makes room for so many tokens at a place, and so at every one. Throws as `take` does. */
  reserve(place: number, tokens: number): void {
    const room = Math.min(roomFor(tokens, this.room), this.#sizes.context)
    if (room > this.room) this.#resize(this.#places, room)
    // What a text had behind these is forgotten.
    this.#taken.set(place, tokens)
  }

  /** One layer's keys (0) or values (1) at neighbouring places, as the engine reads and writes them. */
  view(layer: number, which: 0 | 1, place: number, count: number): Float32Array<ArrayBuffer> {
    const size = this.#placeSize(this.room)
    return this.#arrays[2 * layer + which].subarray(place * size, (place + count) * size)
  }

  #placeSize(room: number): number {
    return this.#sizes.kvHeads * room * this.#sizes.width
  }

  /** Twice the places, or as many as there is memory for; where long texts have left since, with less room at each. */
  #grow(place: number): void {
    const room = Math.min(roomFor(Math.max(0, ...this.#taken.values())), this.#sizes.context)
    const most = Math.floor(this.#budget / (tokenBytes(this.#sizes) * room))
    this.#resize(Math.max(place + 1, Math.min(2 * this.#places, most)), room)
  }

  #resize(places: number, room: number): void {
    const { layers, kvHeads, width } = this.#sizes
    const size = this.#placeSize(room)
    if (tokenBytes(this.#sizes) * places * room > this.#budget)
      throw new SessionError('too-many-sessions', 'The memory for texts that are under way is full.')
    const [old, next, kept] = [this.room, room, Math.min(this.room, room)].map((tokens) => tokens * width)
    for (let i = 0; i < 2 * layers; i++) {
      const resized = new Float32Array(places * size)
      const before = this.#arrays[i]
      for (let head = 0; before && head < Math.min(this.#places, places) * kvHeads; head++)
        resized.set(before.subarray(head * old, head * old + kept), head * next)
      this.#arrays[i] = resized
    }
    this.#places = places
    this.room = room
  }
}

/** Doubled from `room` on. */
function roomFor(tokens: number, room = FIRST_ROOM): number {
  let doubled = Math.max(room, FIRST_ROOM)
  while (doubled < tokens) doubled *= 2
  return doubled
}
