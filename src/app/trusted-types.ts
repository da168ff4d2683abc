/**
 * Trusted Types: texts that become the address of a script must be that of a file of this page, and no text becomes HTML.
 * The content security policy asks browsers to enforce it, and allows three policies: this one, the formatter's (its HTML goes
 * through a sanitiser), and lit's (its HTML is written in our sources).
 */

interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown
}

/** The address itself. Throws `TypeError` for what does not lie beside the page. */
export function ownScript(url: string, base: string): string {
  const address = new URL(url, base)
  const home = new URL('.', base)
  if (address.origin === home.origin && address.pathname.startsWith(home.pathname)) return address.href
  throw new TypeError(`${address.origin} is not where this page's scripts come from.`)
}

const { trustedTypes } = globalThis as { trustedTypes?: Factory }
// The default one is asked where a script hands over plain text: `new Worker(url)`.
trustedTypes?.createPolicy('default', { createScriptURL: (url) => ownScript(url, document.baseURI) })
