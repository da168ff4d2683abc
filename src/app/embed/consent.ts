/** What a visitor of somebody's page agrees to before anything is downloaded or computed. */
import { css, html, LitElement } from 'lit'
import type { ModelListing } from '../../owner/api.ts'
import { bytes } from '../format.ts'
import { sentence, t } from '../language.ts'
import { modelName } from '../names.ts'
import { base } from '../styles/base.ts'
import { Seen } from './seen.ts'

export class Consent extends LitElement {
  static override properties = {
    model: { attribute: false },
    verb: {},
    extent: {},
    isSeen: { state: true },
  }
  declare model: ModelListing
  /** What the button says. */
  declare verb: string
  /** How far the consent goes, and what the page around hears. */
  declare extent: string
  declare isSeen: boolean
  #seen?: Seen

  static override styles = [
    base,
    css`
      h1 {
        font: 600 1.0625rem/1.4 var(--sans);
      }
      p {
        margin-top: 6px;
        color: var(--soft);
        font-size: 0.875rem;
      }
      button {
        margin-top: 14px;
        padding: 9px 18px;
        border-radius: var(--radius);
        background: var(--you);
        color: var(--on-you);
        font-weight: 600;
      }
      /* Never by opacity: whatever is not opaque counts as not visible. */
      button[aria-disabled='true'] {
        background: var(--soft);
        color: var(--paper);
      }
    `,
  ]

  constructor() {
    super()
    this.isSeen = false
  }

  protected override firstUpdated(): void {
    const button = this.renderRoot.querySelector('button')
    if (button) this.#seen = new Seen(button, (isVisible) => (this.isSeen = isVisible))
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#seen?.end()
  }

  protected override render() {
    const { protection, publicBytes } = this.model
    const promise = sentence(protection.notice.summary)
    return html`
      <h1>${modelName(this.model)}</h1>
      <p>${t('embed.computed', { promise, host: location.host })}</p>
      <p>${this.extent} ${t('embed.download', { size: bytes(publicBytes) })}</p>
      <button type="button" aria-disabled=${String(!this.isSeen)} @click=${this.#agree}>${this.verb}</button>
    `
  }

  /** A click counts only where what it agrees to could be seen: something may have been laid over it. */
  readonly #agree = (event: Event): void => {
    if (event.isTrusted && this.#seen?.isLongEnough) this.dispatchEvent(new CustomEvent('agree'))
  }
}

customElements.define('sotto-consent', Consent)
