/** Whether a passkey, too, opens what a passphrase protects. */
import { css, html, LitElement, nothing } from 'lit'
import { whyNoPasskey } from '../history/passkey.ts'
import { vault } from '../history/vault.ts'
import { t } from '../language.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'

export class PasskeySettings extends LitElement {
  static override properties = { why: { state: true }, said: { state: true } }
  /** Why there can be none here; empty where there may be one, nothing while that is found out. */
  declare why: string | undefined
  declare said: string

  static override styles = [
    base,
    css`
      p {
        margin: 10px 0 8px;
        color: var(--soft);
        font-size: 0.8125rem;
      }
    `,
  ]

  constructor() {
    super()
    this.said = ''
    new Watch(this, vault)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void whyNoPasskey().then((why = '') => {
      this.why = why
    })
  }

  protected override render() {
    const { hasPasskey } = vault.state
    if (this.why === undefined) return nothing
    if (hasPasskey)
      return html`<p role="status">${t('passkey.opens')}</p>
        <button class="button" type="button" @click=${this.#forget}>${t('passkey.forget')}</button>`
    if (this.why) return html`<p>${this.why}</p>`
    return html`<p>${t('passkey.may')}</p>
      <button class="button" type="button" @click=${this.#add}>${t('passkey.add')}</button>
      ${this.said ? html`<p role="status">${this.said}</p>` : nothing}`
  }

  readonly #add = async (): Promise<void> => {
    this.said = ''
    try {
      await vault.addPasskey()
    } catch (error) {
      this.said = error instanceof Error ? error.message : String(error)
    }
  }

  readonly #forget = (): Promise<void> => vault.forgetPasskey()
}

customElements.define('sotto-passkey-settings', PasskeySettings)
