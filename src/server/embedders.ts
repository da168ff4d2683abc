/** Sites that may show the embedded views. */

/** One of them. */
export interface Embedder {
  /** Exactly as browsers write it, such as `https://shop.example`. */
  readonly origin: string
  /** Whether it hears what is said in the views; that somebody said something it hears always. */
  readonly content?: boolean
}

/** URLs let names have stars and semicolons, too, which policies understand as many sites, or as a further rule. */
const isHost = (name: string): boolean => /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])$/.test(name)

/** Their origins for `frame-ancestors`. Throws `RangeError` for what is no origin, and might be a policy of its own. */
export function frameAncestors(embedders: readonly Embedder[]): string {
  for (const { origin } of embedders)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin || !isHost(new URL(origin).hostname))
      throw new RangeError(`"${origin}" is no origin. Write one such as https://shop.example.`)
  return embedders.map(({ origin }) => origin).join(' ') || "'none'"
}
