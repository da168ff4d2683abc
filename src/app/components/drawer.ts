/** A side of the page: a column on wide screens, a modal sheet on narrow ones. */
import { css, html, LitElement, type PropertyValues } from 'lit'
import { base } from '../styles/base.ts'

export class Drawer extends LitElement {
  static override properties = {
    label: {},
    inline: { type: Boolean, reflect: true },
    open: { type: Boolean, reflect: true },
    side: { reflect: true },
  }
  declare label: string
  declare inline: boolean
  declare open: boolean
  declare side: 'left' | 'right'

  static override styles = [
    base,
    css`
      :host {
        display: contents;
        /* The way that lines run. */
        --along: 1;
      }
      :host(:dir(rtl)) {
        --along: -1;
      }
      aside {
        height: 100%;
        overflow: hidden;
      }
      dialog {
        position: fixed;
        inset-block: 0;
        inset-inline: 0 auto;
        width: min(400px, 100vw);
        max-width: none;
        height: 100dvh;
        max-height: none;
        margin: 0;
        padding: 0;
        border: 0;
        background: var(--paper);
        color: var(--ink);
        overflow: hidden;
      }
      :host([side='left']) dialog {
        width: min(320px, 86vw);
      }
      :host([side='right']) dialog {
        inset-inline: auto 0;
      }
      dialog[open] {
        animation: slide 0.22s ease-out;
      }
      dialog::backdrop {
        background: rgb(8 14 12 / 0.45);
      }
      @keyframes slide {
        from {
          opacity: 0;
          translate: calc(-24px * var(--along)) 0;
        }
      }
      :host([side='right']) dialog[open] {
        animation-name: slide-right;
      }
      @keyframes slide-right {
        from {
          opacity: 0;
          translate: calc(24px * var(--along)) 0;
        }
      }
    `,
  ]

  constructor() {
    super()
    this.label = ''
    this.inline = false
    this.open = false
    this.side = 'left'
  }

  protected override updated(changed: PropertyValues<this>): void {
    const dialog = this.renderRoot.querySelector('dialog')
    if (!dialog || !(changed.has('open') || changed.has('inline'))) return
    if (this.open && !dialog.open) dialog.showModal()
    else if (!this.open && dialog.open) dialog.close()
  }

  protected override render() {
    if (this.inline) return this.open ? html`<aside aria-label=${this.label}><slot></slot></aside>` : html``
    return html`<dialog aria-label=${this.label} @close=${this.#closed} @click=${this.#backdrop}><slot></slot></dialog>`
  }

  #closed(): void {
    this.dispatchEvent(new Event('closed'))
  }

  /** A click on the dialog itself is one on its backdrop: its content covers the rest. */
  #backdrop(event: MouseEvent): void {
    if (event.target === event.currentTarget) (event.currentTarget as HTMLDialogElement).close()
  }
}

customElements.define('sotto-drawer', Drawer)
