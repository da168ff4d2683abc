/** Markdown as HTML, before it is sanitised. */
import { Marked, type TokenizerAndRendererExtension } from 'marked'

const asText = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

const formula = (kind: 'inline' | 'block', source: string) =>
  `<code data-maths="${kind}">${asText(source.trim())}</code>`

/** What begins or ends something within a paragraph. */
const MARKS = /[*_~$`![\]<>\\&]/g
/** More of them in one piece of text are none: for each the parser would look for its partner over all of them. */
const MOST_MARKS = 500

function hasMore(text: string, marks: RegExp): boolean {
  if (text.length <= MOST_MARKS) return false
  let seen = 0
  for (const _ of text.matchAll(marks)) if (++seen > MOST_MARKS) return true
  return false
}

/** A paragraph of marks: shown as it was written. */
const dense: TokenizerAndRendererExtension = {
  name: 'dense',
  level: 'inline',
  tokenizer: (raw) => (hasMore(raw, MARKS) ? { type: 'dense', raw } : undefined),
  renderer: ({ raw }) => asText(raw).replaceAll('\n', '<br>'),
}

/** Formulas between dollars or TeX's own brackets. A price is none: single dollars enclose no blanks at their ends. */
const maths = (
  name: string,
  level: 'inline' | 'block',
  start: RegExp,
  pattern: RegExp,
): TokenizerAndRendererExtension => ({
  name,
  level,
  start: (text) => {
    const at = text.search(start)
    return at < 0 || hasMore(text, /\$\$|\\\[/g) ? undefined : at
  },
  tokenizer(raw) {
    const found = pattern.exec(raw)
    if (!found) return undefined
    return { type: name, raw: found[0], source: found.slice(1).find((part) => part !== undefined) ?? '' }
  },
  renderer: ({ source }) =>
    level === 'block' ? `<p>${formula('block', source)}</p>` : formula('inline', source),
})

const marked = new Marked({
  gfm: true,
  breaks: true,
  async: false,
  extensions: [
    maths('formulas', 'block', /\$\$|\\\[/, /^(?:\$\$([^$]{1,1000})\$\$|\\\[([\s\S]{1,1000}?)\\\])(?:\n|$)/),
    maths(
      'formula',
      'inline',
      /\$|\\\(/,
      /^(?:\$(?![\s$])([^$\n]{0,999}[^\s$\\])\$(?!\d)|\\\(([^\n]{1,1000}?)\\\))/,
    ),
    // The last is asked first.
    dense,
  ],
  renderer: {
    // HTML in a reply is shown as it was written, and an image as its description.
    html: ({ text }) => asText(text),
    image: ({ text }) => asText(text),
    code: ({ text, lang }) =>
      `<pre><code data-language="${asText(/^[\w+#.-]{1,30}/.exec(lang ?? '')?.[0] ?? '')}">${asText(text)}\n</code></pre>`,
  },
})

/**
 * No mark in it makes the parser look over all the others. Throws `RangeError` where what is nested in it goes
 * deeper than the stack.
 */
export const toHtml = (text: string): string => marked.parse(text) as string
