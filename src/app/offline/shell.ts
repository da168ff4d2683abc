/** What a service worker keeps of the page: its files as one build made them, told apart by their hashes. */

/** Caches of this name, with a release's version behind it, hold the page itself. */
export const SHELL = 'sotto-shell-'

export interface Shell {
  /** Another one for every build that differs. */
  readonly version: string
  /** Every file by its path below the page, with its hash as `integrity` takes it. */
  readonly files: Readonly<Record<string, string>>
  /** Those that the page needs to show what is kept; others are kept once they have been used. */
  readonly first: readonly string[]
}

/** The page itself. */
export const INDEX = 'index.html'

/** Names below this folder carry a hash of their contents: a file there never changes. */
const LASTING = 'assets/'
export const isLasting = (path: string): boolean => path.startsWith(LASTING)

/** The file that a request for `url` means; nothing where it is none of the page's, such as its configuration. */
export function fileAt(url: string, scope: string, { files }: Shell): string | undefined {
  const { origin, pathname } = new URL(url)
  const home = new URL(scope)
  if (origin !== home.origin || !pathname.startsWith(home.pathname)) return undefined
  const path = pathname.slice(home.pathname.length) || INDEX
  return Object.hasOwn(files, path) ? path : undefined
}
