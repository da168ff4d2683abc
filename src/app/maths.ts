/** Formulas as MathML, which browsers set with the fonts they have, and screen readers read. */
import katex from 'katex'

/**
 * The formula's element. What a model writes is untrusted: macros end after some expansions, sizes are capped, and commands
 * that link or load anything do not work. What can't be read as a formula comes out as it was written.
 */
export function formula(source: string, isBlock: boolean): Node {
  const place = document.createElement('span')
  katex.render(source, place, {
    output: 'mathml',
    displayMode: isBlock,
    throwOnError: false,
    trust: false,
    strict: 'ignore',
    maxExpand: 200,
    maxSize: 20,
  })
  return place
}
