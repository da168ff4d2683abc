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

/** Whether it is an origin as browsers write it, and nothing that might be a policy of its own. */
export const isOrigin = (origin: string): boolean =>
  URL.canParse(origin) && new URL(origin).origin === origin && isHost(new URL(origin).hostname)

/** Their origins for `frame-ancestors`. Throws `RangeError` for what is none. */
export function frameAncestors(embedders: readonly Embedder[]): string {
  for (const { origin } of embedders)
    if (!isOrigin(origin))
      throw new RangeError(`"${origin}" is no origin. Write one such as https://shop.example.`)
  return embedders.map(({ origin }) => origin).join(' ') || "'none'"
}
