/** What is kept is encrypted: it takes the passphrase to read it, or to begin without it. */
import { css, html, LitElement, nothing } from 'lit'
import { PasskeyRefused } from '../history/passkey.ts'
import { vault, WrongPassphrase } from '../history/vault.ts'
import { t } from '../language.ts'
import { chat } from '../state/chat.ts'
import { unlock } from '../state/restoring.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'

export class LockScreen extends LitElement {
  static override properties = { trouble: { state: true }, isBusy: { state: true }, isSure: { state: true } }
  declare trouble: string
  declare isBusy: boolean
  /** Whether the person has asked to erase and is to confirm. */
  declare isSure: boolean

  static override styles = [
    base,
    css`
      :host {
        grid-row: 2 / -1;
        overflow-y: auto;
        padding: clamp(24px, 12vh, 120px) 24px 24px;
      }
      form {
        display: grid;
        gap: 12px;
        max-width: 26rem;
        margin: 0 auto;
      }
      h2 {
        font: 400 italic 2rem / 1.15 var(--serif);
      }
      input {
        height: 44px;
        padding: 0 14px;
        border: 1px solid var(--edge);
        border-radius: 12px;
        background: var(--sheet);
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .trouble {
        color: var(--danger);
      }
    `,
  ]

  constructor() {
    super()
    this.trouble = ''
    this.isBusy = false
    this.isSure = false
    new Watch(this, vault)
  }

  override focus(): void {
    this.renderRoot.querySelector('input')?.focus()
  }

  protected override firstUpdated(): void {
    this.focus()
  }

  protected override render() {
    return html`<form @submit=${this.#unlock}>
      <h2>${t('lock.title')}</h2>
      <p>${t('lock.what')}</p>
      <label for="passphrase">${t('lock.passphrase')}</label>
      <input id="passphrase" type="password" autocomplete="current-password" required />
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
      <div class="row">
        <button class="button main" ?disabled=${this.isBusy}>${t(this.isBusy ? 'lock.unlocking' : 'lock.unlock')}</button>
        ${vault.state.hasPasskey ? html`<button class="button" type="button" ?disabled=${this.isBusy} @click=${() => this.#try()}>${t('lock.passkey')}</button>` : nothing}
        ${
          this.isSure
            ? html`<button class="button danger" type="button" @click=${() => chat.erase()}>${t('erase.sure')}</button>`
            : html`<button class="button" type="button" @click=${this.#ask}>${t('erase')}</button>`
        }
      </div>
    </form>`
  }

  readonly #ask = (): void => {
    this.isSure = true
  }

  readonly #unlock = (event: Event): void => {
    event.preventDefault()
    void this.#try(this.renderRoot.querySelector('input')?.value ?? '')
  }

  /** @param passphrase none for a passkey */
  async #try(passphrase?: string): Promise<void> {
    this.isBusy = true
    this.trouble = ''
    try {
      await unlock(passphrase)
    } catch (error) {
      if (!(error instanceof WrongPassphrase || error instanceof PasskeyRefused)) throw error
      this.trouble = error.message
    } finally {
      this.isBusy = false
    }
  }
}

customElements.define('sotto-lock-screen', LockScreen)
