/**
 * Formats replies. What it takes for that is loaded once a reply needs it: the sanitiser with the first reply, the
 * highlighter with the first code in a known language, the typesetter with the first formula.
 */
import { Store } from './store.ts'

interface Tools {
  render?: (text: string) => DocumentFragment
  highlight?: (code: string, language: string) => Node[] | undefined
  formula?: (source: string, isBlock: boolean) => Node
}

const loaders = {
  render: async () => ({ render: (await import('../markdown.ts')).render }),
  highlight: async () => ({ highlight: (await import('../code.ts')).highlight }),
  formula: async () => ({ formula: (await import('../maths.ts')).formula }),
} satisfies Record<keyof Tools, () => Promise<Tools>>

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
  format(text: string): DocumentFragment {
    const { render } = this.state
    if (!render) {
      this.load('render')
      return asWritten(text)
    }
    const fragment = render(text)
    for (const code of fragment.querySelectorAll<HTMLElement>('code[data-language]')) this.#code(code)
    for (const code of fragment.querySelectorAll<HTMLElement>('code[data-maths]')) this.#formula(code)
    return fragment
  }

  #code(code: HTMLElement): void {
    const language = code.dataset.language?.toLowerCase()
    if (!language) return
    const { highlight } = this.state
    if (!highlight) this.load('highlight')
    const coloured = highlight?.(code.textContent ?? '', language)
    if (coloured) code.replaceChildren(...coloured)
  }

  #formula(code: HTMLElement): void {
    const { formula } = this.state
    if (!formula) this.load('formula')
    else code.replaceWith(formula(code.textContent ?? '', code.dataset.maths === 'block'))
  }
}

function asWritten(text: string): DocumentFragment {
  const plain = document.createDocumentFragment()
  const said = plain.appendChild(document.createElement('p'))
  said.className = 'plain'
  said.textContent = text
  return plain
}

export const formatter = new Formatter({})
