/** Texts that end a reply when it comes to one of them. */

/** Where the first of `stops` begins in `text`; -1 where there is none. */
function firstOf(text: string, stops: readonly string[]): number {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return places.length > 0 ? Math.min(...places) : -1
}

/** A reply's text up to the first of `stops`, which is left out with all that follows it. */
export function beforeStop(text: string, stops: readonly string[]): string {
  const at = firstOf(text, stops)
  return at < 0 ? text : text.slice(0, at)
}

/** Lets a text through as it comes, holding back what may turn out to begin one of `stops`. */
export class StopText {
  readonly #stops: readonly string[]
  #held = ''
  #isHit = false

  /** @param stops none of them empty */
  constructor(stops: readonly string[]) {
    this.#stops = stops
  }

  /** One of the texts has come. */
  get isHit(): boolean {
    return this.#isHit
  }

  /** What may be said now; nothing once a stop has come. */
  push(text: string): string {
    if (this.#isHit) return ''
    const all = this.#held + text
    const at = firstOf(all, this.#stops)
    if (at >= 0) {
      this.#isHit = true
      this.#held = ''
      return all.slice(0, at)
    }
    const kept = this.#beginning(all)
    this.#held = all.slice(all.length - kept)
    return all.slice(0, all.length - kept)
  }

  /** How many characters at the end of `text` are the longest beginning of a stop. */
  #beginning(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1))
    for (let n = Math.min(longest, text.length); n > 0; n--) {
      const end = text.slice(-n)
      if (this.#stops.some((stop) => stop.startsWith(end))) return n
    }
    return 0
  }
}
