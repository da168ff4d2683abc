/**
 * Formats replies. What it takes for that is loaded once a reply needs it: the sanitiser with the first reply, the
 * highlighter with the first code in a known language, the typesetter with the first formula.
 */
import { Store } from './store.ts'

interface Tools {
  render?: (text: string) => DocumentFragment
  highlight?: (code: string, language: string) => Node[] | undefined
  formula?: (source: string, isBlock: boolean) => Node | undefined
}

const loaders = {
  render: async () => ({ render: (await import('../markdown.ts')).render }),
  highlight: async () => ({ highlight: (await import('../code.ts')).highlight }),
  formula: async () => ({ formula: (await import('../maths.ts')).formula }),
} satisfies Record<keyof Tools, () => Promise<Tools>>

/** A text that takes longer is not formatted again before it has ended. */
const SLOW_MS = 100

/** Of one reply: a reply grows word by word, and what has been made of its code and formulas is not made again. */
export class Formatted {
  /** By what they were made of; nothing where it stays as it was written. */
  readonly pieces = new Map<string, readonly Node[] | undefined>()
  isSlow = false
}

class Formatter extends Store<Tools> {
  readonly #asked = new Set<keyof Tools>()

  /** Until the code for it is there, and where it cannot be loaded, texts show as they were written. */
  load(tool: keyof Tools): void {
    if (this.#asked.has(tool)) return
    this.#asked.add(tool)
    // A page that has been redeployed since may no longer find it.
    loaders[tool]().then(
      (loaded) => this.set(loaded),
      () => undefined,
    )
  }

  /** A reply as it is shown. */
  format(text: string, formatted: Formatted, isWriting: boolean): DocumentFragment {
    const { render } = this.state
    if (!render) this.load('render')
    if (!render || (isWriting && formatted.isSlow)) return asWritten(text)
    const begun = performance.now()
    try {
      const fragment = render(text)
      // Whatever is last may not have ended.
      const open = isWriting ? fragment.lastElementChild : null
      for (const code of fragment.querySelectorAll<HTMLElement>('code[data-language]'))
        if (!open?.contains(code)) this.#code(code, formatted)
      for (const code of fragment.querySelectorAll<HTMLElement>('code[data-maths]'))
        this.#formula(code, formatted)
      return fragment
    } catch {
      // Nested deeper than the stack.
      return asWritten(text)
    } finally {
      formatted.isSlow ||= performance.now() - begun > SLOW_MS
    }
  }

  #code(code: HTMLElement, { pieces }: Formatted): void {
    const language = code.dataset.language?.toLowerCase()
    if (!language) return
    const { highlight } = this.state
    if (!highlight) {
      this.load('highlight')
      return
    }
    const text = code.textContent ?? ''
    const coloured = made(pieces, `${language} ${text}`, () => highlight(text, language))
    if (coloured) code.replaceChildren(...coloured)
  }

  #formula(code: HTMLElement, { pieces }: Formatted): void {
    const { formula } = this.state
    if (!formula) {
      this.load('formula')
      return
    }
    const { textContent: source, dataset } = code
    const set = made(pieces, `${dataset.maths}$${source}`, () => {
      const one = formula(source ?? '', dataset.maths === 'block')
      return one && [one]
    })
    if (set) code.replaceWith(...set)
  }
}

/** A copy of what is there, or is made now. */
function made(
  pieces: Formatted['pieces'],
  name: string,
  make: () => readonly Node[] | undefined,
): Node[] | undefined {
  if (!pieces.has(name)) pieces.set(name, make())
  return pieces.get(name)?.map((each) => each.cloneNode(true))
}

function asWritten(text: string): DocumentFragment {
  const plain = document.createDocumentFragment()
  const said = plain.appendChild(document.createElement('p'))
  said.className = 'plain'
  said.textContent = text
  return plain
}

export const formatter = new Formatter({})
