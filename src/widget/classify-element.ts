/** `<sotto-classify>`: labels a text box of somebody's form when it is sent, privately and by the visitor's consent. */
import { Frame } from './frame.ts'
import type { FrameMessage } from './messages.ts'

const styles = `
:host { display: block; } :host([hidden]) { display: none; }
iframe { display: block; width: 100%; height: var(--sotto-height, 12rem); border: 0; border-radius: var(--sotto-radius, 10px); }
`

/** A form is sent without a label if there is none after this time. */
const PATIENCE_MS = 60_000

/**
 * Stands in a form. Attributes: `model`; `field`, the name of the text box; `name`, under which the label is sent along;
 * `theme`, `accent`, `radius`. Events: `ready`, `error`. The text goes to the frame, and from it as secret shares; without
 * the visitor's consent, or when something fails, the form is sent as it is.
 */
export function defineClassify(base: string): void {
  class SottoClassify extends HTMLElement {
    static readonly formAssociated = true
    readonly #internals = this.attachInternals()
    readonly #root = this.attachShadow({ mode: 'open' })
    #frame?: Frame
    #near?: IntersectionObserver
    #count = 0
    readonly #waiting = new Map<number, (label: string | undefined) => void>()
    #isSending = false
    /** Whether the frame has answered at all: nobody waits for one that the browser has refused. */
    #isReady = false

    connectedCallback(): void {
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(styles)
      this.#root.adoptedStyleSheets = [sheet]
      this.#near = new IntersectionObserver((entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) this.#load()
      })
      this.#near.observe(this)
      this.#internals.form?.addEventListener('submit', this.#submit)
    }

    disconnectedCallback(): void {
      this.#near?.disconnect()
      this.#frame?.element.remove()
      this.#frame = undefined
      this.#isReady = false
    }

    formAssociatedCallback(form: HTMLFormElement | null): void {
      form?.addEventListener('submit', this.#submit)
    }

    #load(): void {
      this.#near?.disconnect()
      if (this.#frame) return
      this.#frame = new Frame(base, { view: 'classify', model: this.getAttribute('model') ?? '' }, this.#hear)
      this.#root.append(this.#frame.element)
      this.#frame.send({ type: 'look', look: Frame.lookOf(this) })
    }

    readonly #submit = (event: SubmitEvent): void => {
      const { form } = this.#internals
      const field = form?.elements.namedItem(this.getAttribute('field') ?? '')
      const text =
        field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement ? field.value : ''
      if (this.#isSending || !this.#isReady || !form || text === '') return
      event.preventDefault()
      this.#isSending = true
      void this.#label(text).then((label) => {
        this.#internals.setFormValue(label ?? null)
        form.requestSubmit(event.submitter)
        this.#isSending = false
      })
    }

    #label(text: string): Promise<string | undefined> {
      const id = ++this.#count
      return new Promise((resolve) => {
        const answer = (label: string | undefined): void => {
          clearTimeout(patience)
          this.#waiting.delete(id)
          resolve(label)
        }
        const patience = setTimeout(answer, PATIENCE_MS, undefined)
        this.#waiting.set(id, answer)
        this.#frame?.send({ type: 'classify', id, text })
      })
    }

    readonly #hear = (message: FrameMessage): void => {
      if (message.type === 'classified') this.#waiting.get(message.id)?.(message.label)
      else if (message.type === 'ready' || message.type === 'error') {
        this.#isReady ||= message.type === 'ready'
        const { type, ...detail } = message
        this.dispatchEvent(new CustomEvent(type, { detail }))
      }
    }
  }
  customElements.define('sotto-classify', SottoClassify)
}
