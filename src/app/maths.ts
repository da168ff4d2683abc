/** Formulas as MathML, which browsers set with the fonts they have, and screen readers read. */
import katex from 'katex'

/** Longest formula that is set. */
const LIMIT = 1000

/** What gives names to pieces: a few letters would stand for megabytes. */
const NAMING = /\\(?:[egx]?def|let|futurelet|global|long|(?:re)?newcommand|providecommand)(?![a-zA-Z])/

/**
 * The formula's element; nothing where it is too long, names macros or nests too deep. What a model writes is untrusted: sizes
 * are capped, and commands that link or load anything do not work. What can't be read as a formula comes out as it was
 * written.
 */
export function formula(source: string, isBlock: boolean): Node | undefined {
  if (source.length > LIMIT || NAMING.test(source)) return undefined
  const place = document.createElement('span')
  try {
    katex.render(source, place, {
      output: 'mathml',
      displayMode: isBlock,
      throwOnError: false,
      trust: false,
      strict: 'ignore',
      maxExpand: 200,
      maxSize: 20,
    })
  } catch {
    // It takes no errors of formulas for its own but those of their grammar: a full stack it throws.
    return undefined
  }
  return place
}
