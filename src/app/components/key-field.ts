/** Where a key file is given that a model asks for. It stays in this tab. */
import { css, html, LitElement, nothing } from 'lit'
import { OwnerError } from '../../owner/api.ts'
import { t } from '../language.ts'
import { engine } from '../state/engine.ts'
import { base } from '../styles/base.ts'
import { inOneLine } from '../trouble.ts'

/** Sends `opened` once the key has been taken. */
export class KeyField extends LitElement {
  static override properties = { trouble: { state: true } }
  /** Why a file could not be taken. */
  declare trouble: string

  static override styles = [
    base,
    css`
      :host {
        display: block;
        margin-top: 12px;
      }
      p {
        margin-top: 8px;
        color: var(--soft);
        font-size: 0.8125rem;
      }
      .trouble {
        color: var(--danger);
        overflow-wrap: anywhere;
      }
    `,
  ]

  constructor() {
    super()
    this.trouble = ''
  }

  protected override render() {
    return html`
      <button class="button main" @click=${this.#pick}>${t('key.open')}</button>
      <input class="hidden" type="file" tabindex="-1" aria-label=${t('key.file')} accept=".json,application/json" @change=${this.#chosen} />
      <p>${t('key.note')}</p>
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
    `
  }

  readonly #pick = (): void => this.renderRoot.querySelector<HTMLInputElement>('input[type=file]')?.click()

  readonly #chosen = async (event: Event): Promise<void> => {
    const input = event.target as HTMLInputElement
    const file = input.files?.[0]
    if (!file) return
    this.trouble = ''
    try {
      await engine.giveKey(await file.text())
      this.dispatchEvent(new Event('opened'))
    } catch (reason) {
      this.trouble = inOneLine(OwnerError.from(reason))
    }
    // A file that was corrected may be chosen again under its name.
    input.value = ''
  }
}

customElements.define('sotto-key-field', KeyField)
