/** Patterns of tiktoken's vocabularies, written for Rust's fancy-regex, in terms that mean the same to tokenizers' engines. */

/** A class, an escape or a character; perhaps how often; and whether it then gives nothing back. */
const PIECE =
  /(\[\^?\]?(?:\\[\s\S]|[^\]\\[])*\]|\\[pPux]\{[^}]*\}|\\[\s\S]|[^\\])(?:(\{\d+(?:,\d*)?\}|[?*+])(\+)?)?/gu

/** A pattern that has no such terms; the message says which part of it. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/**
 * The pattern without possessive quantifiers, which Oniguruma reads as repetitions of repetitions (`{1,3}+`) and the
 * JavaScript library as greedy ones: looked ahead at and then taken as it was found, a piece gives nothing back either
 * (Friedl, Mastering Regular Expressions, chapter 4, "mimicking atomic grouping"). `^` and `$` are the text's ends, not a
 * line's. Throws {@link PatternError}.
 */
export function splitPattern(pattern: string): string {
  let pieces = 0
  return pattern.replace(PIECE, (piece, atom: string, often: string | undefined, possessive, at: number) => {
    if (pattern.startsWith('(?>', at)) throw new PatternError('an atomic group, "(?>"')
    if (atom === '^') return piece.replace('^', '\\A')
    if (atom === '$') return piece.replace('$', '\\z')
    if (!possessive) return piece
    if (atom === ')' || atom === ']')
      throw new PatternError(`"${piece}" behind a group or a class within a class`)
    const name = `_${pieces++}`
    return `(?=(?<${name}>${atom}${often}))\\k<${name}>`
  })
}
