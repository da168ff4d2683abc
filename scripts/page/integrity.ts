/** Subresource integrity (W3C): what a page's tags name runs only as it was built. Workers and later imports have no tags. */

/**
 * Adds the hash of every script, module preload and stylesheet that lies beside the page to the tag that names it.
 * @param integrityOf the hash of a file, by its path below the page
 * @throws Error where a tag names a file that is not there
 */
export const withIntegrity = (html: string, integrityOf: (path: string) => string | undefined): string =>
  html.replace(/<(?:script|link)\b[^>]*>/g, (tag) => {
    const path = /\b(?:src|href)="\.\/([^"]+)"/.exec(tag)?.[1]
    if (!path || (tag.startsWith('<link') && !/\brel="(?:modulepreload|stylesheet)"/.test(tag))) return tag
    const integrity = integrityOf(path)
    if (!integrity) throw new Error(`The page names ${path}, which was not built.`)
    return tag.replace(/\s*\/?>$/, ` integrity="${integrity}">`)
  })
