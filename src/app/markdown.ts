/**
 * Markdown from a model, made safe to show.
 *
 * The model's text is untrusted: it is parsed, sanitised into a fragment, and never touches `innerHTML`. Images and
 * every other element that loads something are dropped, because an address in a reply could carry the conversation
 * to a third party the moment it is drawn. Code keeps its language in `data-language`, and formulas are code with
 * `data-maths`: whoever shows them may set them better.
 */
import DOMPurify, { type Config } from 'dompurify'
import { Marked, type TokenizerAndRendererExtension } from 'marked'

const asText = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

const formula = (kind: 'inline' | 'block', source: string) =>
  `<code data-maths="${kind}">${asText(source.trim())}</code>`

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
    return at < 0 ? undefined : at
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
    maths('formulas', 'block', /\$\$|\\\[/, /^(?:\$\$([^$]{1,4000})\$\$|\\\[([\s\S]{1,4000}?)\\\])(?:\n|$)/),
    maths(
      'formula',
      'inline',
      /\$|\\\(/,
      /^(?:\$(?![\s$])([^$\n]{0,999}[^\s$\\])\$(?!\d)|\\\(([^\n]{1,1000}?)\\\))/,
    ),
  ],
  renderer: {
    // HTML in a reply is shown as it was written, and an image as its description.
    html: ({ text }) => asText(text),
    image: ({ text }) => asText(text),
    code: ({ text, lang }) =>
      `<pre><code data-language="${asText(/^[\w+#.-]{1,30}/.exec(lang ?? '')?.[0] ?? '')}">${asText(text)}\n</code></pre>`,
  },
})

const tags = [
  ...['p', 'br', 'hr', 'em', 'strong', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a'],
  ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
]

interface Factory {
  createPolicy(
    name: string,
    rules: Record<'createHTML' | 'createScriptURL', (text: string) => string>,
  ): object
}

const { trustedTypes } = globalThis as { trustedTypes?: Factory }
const noScripts = (): never => {
  throw new TypeError('A reply names no scripts.')
}
/** Known to the sanitiser alone, which parses into a document that runs nothing. */
const policy = trustedTypes?.createPolicy('sotto', { createHTML: (html) => html, createScriptURL: noScripts })

const config = {
  ALLOWED_TAGS: tags,
  ALLOWED_ATTR: ['href', 'start', 'align', 'data-language', 'data-maths'],
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  RETURN_DOM_FRAGMENT: true as const,
  ...(policy ? { TRUSTED_TYPES_POLICY: policy as Config['TRUSTED_TYPES_POLICY'] } : {}),
}

/** Longest text that is formatted; beyond it a reply is shown as it is, so that no reply can stall the page. */
const limit = 40_000

export function render(text: string): DocumentFragment {
  if (text.length > limit) {
    const plain = document.createDocumentFragment()
    const block = plain.appendChild(document.createElement('pre'))
    block.textContent = text
    return plain
  }
  const fragment = DOMPurify.sanitize(marked.parse(text) as string, config)
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank'
    link.rel = 'noopener noreferrer nofollow'
    link.referrerPolicy = 'no-referrer'
  }
  return fragment
}
