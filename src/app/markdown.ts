/**
 * Markdown from a model, made safe to show.
 *
 * The model's text is untrusted: it is parsed, sanitised into a fragment, and never touches `innerHTML`. Images and
 * every other element that loads something are dropped, because an address in a reply could carry the conversation
 * to a third party the moment it is drawn. Code keeps its language in `data-language`, and formulas are code with
 * `data-maths`: whoever shows them may set them better.
 */
import DOMPurify, { type Config } from 'dompurify'
import { toHtml } from './markdown-html.ts'

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
  const fragment = DOMPurify.sanitize(toHtml(text), config)
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank'
    link.rel = 'noopener noreferrer nofollow'
    link.referrerPolicy = 'no-referrer'
  }
  return fragment
}
