/** Text of others, made fit for a terminal, a log or a page: nothing in it is a command, and it reads as it is written. */

/**
 * Control characters (ISO/IEC 6429: C0 with ESC, DEL, C1 with CSI and OSC), of which line feed and tab are handled apart;
 * the embeddings, overrides and isolates that reorder text (Unicode Standard Annex 9, section 2), by which a name can read as
 * another; and the separators that some programs take for a new line.
 */
const UNSAFE = /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu
const UNSAFE_IN_LINE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu

/** Several lines: line feeds and tabs stay. The pieces of a text give what the whole would. */
export const plainText = (text: string): string => text.replace(UNSAFE, '')

/** One line of at most `most` characters (code points); white space becomes one space. */
export function plainLine(text: string, most = 300): string {
  const line = text.replace(/\s+/gu, ' ').replace(UNSAFE_IN_LINE, '')
  if (line.length <= most) return line
  const points = [...line]
  return points.length <= most ? line : `${points.slice(0, most - 1).join('')}…`
}

/** JSON text with such characters escaped, which changes no value. */
export const plainJson = (json: string): string =>
  json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
