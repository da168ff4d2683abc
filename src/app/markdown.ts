/**
 * Markdown from a model, made safe to show.
 *
 * The model's text is untrusted: it is parsed, sanitised into a fragment, and never touches `innerHTML`. Images and
 * every other element that loads something are dropped, because an address in a reply could carry the conversation
 * to a third party the moment it is drawn.
 */
import DOMPurify from 'dompurify'
import { Marked } from 'marked'

const asText = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

const marked = new Marked({
  gfm: true,
  breaks: true,
  async: false,
  // HTML in a reply is shown as it was written, and an image as its description.
  renderer: { html: ({ text }) => asText(text), image: ({ text }) => asText(text) },
})

const tags = [
  ...['p', 'br', 'hr', 'em', 'strong', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a'],
  ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
]

/** Longest text that is formatted; beyond it a reply is shown as it is, so that no reply can stall the page. */
const limit = 40_000

export function render(text: string): DocumentFragment {
  if (text.length > limit) {
    const plain = document.createDocumentFragment()
    const block = plain.appendChild(document.createElement('pre'))
    block.textContent = text
    return plain
  }
  const fragment = DOMPurify.sanitize(marked.parse(text) as string, {
    ALLOWED_TAGS: tags,
    ALLOWED_ATTR: ['href', 'start', 'align'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    RETURN_DOM_FRAGMENT: true,
  })
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank'
    link.rel = 'noopener noreferrer nofollow'
    link.referrerPolicy = 'no-referrer'
  }
  return fragment
}
