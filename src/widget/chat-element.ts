/** `<sotto-chat>`: a private chat in somebody's page, inline or behind a button. */
import { Frame } from './frame.ts'
import type { FrameMessage } from './messages.ts'

const styles = `
:host { display: block; width: var(--sotto-width, 100%); height: var(--sotto-height, 34rem); }
:host([hidden]) { display: none; }
:host([launcher]) { position: fixed; z-index: var(--sotto-layer, 2147483000); inset: auto 1.25rem 1.25rem auto; width: auto; height: auto; }
iframe { display: block; width: 100%; height: 100%; border: 0; border-radius: var(--sotto-radius, 14px); color-scheme: normal; }
:host([launcher]) iframe { width: min(var(--sotto-width, 24rem), calc(100vw - 2.5rem)); height: min(var(--sotto-height, 34rem), calc(100dvh - 6rem)); margin-bottom: .75rem; box-shadow: 0 8px 32px #0004; }
iframe[hidden] { display: none !important; }
button { display: block; margin-inline-start: auto; font: 600 1rem/1 system-ui, sans-serif; padding: .9em 1.3em; border: 0; border-radius: 2em; color: var(--sotto-on-accent, #fff); background: var(--sotto-accent, #0b5f53); cursor: pointer; }
button:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
`

/** How close to the viewport an inline chat may come before it loads. */
const NEAR = '200px'

/**
 * Attributes: `model`; `launcher`, to stand behind a button; `label` of the button; `theme` (`light`, `dark`), `accent`,
 * `radius`. Styles: `--sotto-accent`, `--sotto-radius`, `--sotto-width`, `--sotto-height`. Events: `ready`; `message` with the
 * `role` of who said something, and its `content` only where the chat's own site grants it; `error` with a `code`.
 */
export function defineChat(base: string): void {
  class SottoChat extends HTMLElement {
    static readonly observedAttributes = ['theme', 'accent', 'radius']
    #frame?: Frame
    #near?: IntersectionObserver
    readonly #button = document.createElement('button')

    constructor() {
      super()
      const root = this.attachShadow({ mode: 'open' })
      // A constructed sheet: a page's policy against inline styles does not meet it.
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(styles)
      root.adoptedStyleSheets = [sheet]
      this.#button.type = 'button'
      this.#button.addEventListener('click', () => (this.isOpen ? this.close() : this.open()))
      root.append(this.#button)
      this.#root = root
    }
    readonly #root: ShadowRoot

    connectedCallback(): void {
      const isLauncher = this.hasAttribute('launcher')
      this.#button.hidden = !isLauncher
      this.#button.textContent = this.getAttribute('label') ?? 'Private chat'
      this.#button.setAttribute('aria-expanded', String(this.isOpen))
      if (isLauncher || this.#frame) return
      this.#near = new IntersectionObserver(
        (entries) => {
          if (entries.some(({ isIntersecting }) => isIntersecting)) this.open()
        },
        { rootMargin: NEAR },
      )
      this.#near.observe(this)
    }

    disconnectedCallback(): void {
      this.#near?.disconnect()
      // A frame that leaves the document has lost its page, and the chat in it.
      this.#frame?.element.remove()
      this.#frame = undefined
    }

    attributeChangedCallback(): void {
      this.#frame?.send({ type: 'look', look: Frame.lookOf(this) })
    }

    get isOpen(): boolean {
      return this.#frame !== undefined && !this.#frame.element.hidden
    }

    /** Shows the chat, which is loaded the first time. */
    open(): void {
      this.#near?.disconnect()
      if (!this.#frame) {
        const mode = this.hasAttribute('launcher') ? 'launcher' : 'inline'
        const query = { view: 'chat', model: this.getAttribute('model') ?? '', mode }
        this.#frame = new Frame(base, query, this.#hear)
        this.#root.prepend(this.#frame.element)
        this.#frame.send({ type: 'look', look: Frame.lookOf(this) })
      }
      this.#frame.element.hidden = false
      this.#button.setAttribute('aria-expanded', 'true')
    }

    /** Hides the chat; it goes on where it was when it is opened again. */
    close(): void {
      if (this.#frame) this.#frame.element.hidden = true
      this.#button.setAttribute('aria-expanded', 'false')
    }

    /** Forgets the conversation. */
    reset(): void {
      this.#frame?.send({ type: 'reset' })
    }

    readonly #hear = (message: FrameMessage): void => {
      if (message.type === 'close') this.close()
      else if (message.type !== 'classified') {
        const { type, ...detail } = message
        this.dispatchEvent(new CustomEvent(type, { detail }))
      }
    }
  }
  customElements.define('sotto-chat', SottoChat)
}
