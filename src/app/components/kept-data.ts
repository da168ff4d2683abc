/** What this browser keeps: taken along, brought in, encrypted, erased. */
import { css, html, LitElement, nothing } from 'lit'
import { bytes } from '../format.ts'
import { archive } from '../history/archive.ts'
import { vault } from '../history/vault.ts'
import { t } from '../language.ts'
import { chat } from '../state/chat.ts'
import { exportFile, importFile } from '../state/export.ts'
import { library } from '../state/library.ts'
import { lock } from '../state/restoring.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { form } from '../styles/form.ts'
import './passkey-settings.ts'

const SHORTEST = 8

/** Sends `erased` once nothing is kept any more. */
export class KeptData extends LitElement {
  static override properties = {
    isSure: { state: true },
    isAsked: { state: true },
    said: { state: true },
    used: { state: true },
  }
  /** Whether the person has asked to erase and is to confirm. */
  declare isSure: boolean
  /** Whether a passphrase is being given. */
  declare isAsked: boolean
  /** What came of the last thing that was done. */
  declare said: string
  /** Bytes that the browser stores for this page, and may. */
  declare used: StorageEstimate | undefined

  static override styles = [
    base,
    form,
    css`
      .passphrase {
        display: grid;
        gap: 8px;
        margin-top: 12px;
        padding: 0;
      }
      .passphrase input {
        width: 100%;
        height: 40px;
        padding: 0 12px;
        border: 1px solid var(--edge);
        border-radius: 10px;
        background: var(--sheet);
      }
      .said {
        margin-top: 10px;
      }
    `,
  ]

  constructor() {
    super()
    this.isSure = false
    this.isAsked = false
    this.said = ''
    new Watch(this, library, vault)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    navigator.storage
      ?.estimate()
      .then((used) => {
        this.used = used
      })
      .catch(() => undefined)
  }

  protected override render() {
    const { kept } = library.state
    const { usage, quota } = this.used ?? {}
    return html`<fieldset>
      <legend>${t('kept.legend')}</legend>
      <p>
        ${t('kept.what')}
        ${usage !== undefined && quota ? t('kept.used', { usage: bytes(usage), quota: bytes(quota) }) : nothing}
      </p>
      <div class="row">
        <button class="button" type="button" ?disabled=${kept.length === 0} @click=${() => exportFile(kept)}>${t('kept.export')}</button>
        <button class="button" type="button" @click=${this.#pick}>${t('kept.import')}</button>
        <input hidden type="file" accept=".json,application/json" aria-label=${t('kept.file')} @change=${this.#import} />
      </div>
      ${this.#protection()}
      <div class="row">
        ${
          this.isSure
            ? html`<button class="button danger" type="button" @click=${this.#erase}>${t('erase.sure')}</button>
                <button class="button" type="button" @click=${this.#ask}>${t('no')}</button>`
            : html`<button class="button" type="button" @click=${this.#ask}>${t('erase')}</button>`
        }
      </div>
      ${this.said ? html`<p class="said" role="status">${this.said}</p>` : nothing}
    </fieldset>`
  }

  #protection() {
    const { state } = vault.state
    if (!crypto.subtle || state === 'unread') return nothing
    if (state === 'locked') return html`<p class="said">${t('kept.locked')}</p>`
    if (this.isAsked)
      return html`<form class="passphrase" @submit=${this.#protect}>
        <label for="passphrase">${t('kept.passphrase', { n: SHORTEST })}</label>
        <input id="passphrase" type="password" autocomplete="new-password" minlength=${SHORTEST} required />
        <p>${t('kept.warning')}</p>
        <div class="row">
          <button class="button main">${t('kept.encrypt')}</button>
          <button class="button" type="button" @click=${() => this.#asked(false)}>${t('cancel')}</button>
        </div>
      </form>`
    return html`<p class="said">
        ${t(state === 'open' ? 'kept.encrypted' : 'kept.readable')}
      </p>
      <div class="row">
        ${
          state === 'open'
            ? html`<button class="button" type="button" @click=${this.#lock}>${t('kept.lock')}</button>
                <button class="button" type="button" @click=${() => this.#asked(true)}>${t('kept.change')}</button>
                <button class="button" type="button" @click=${this.#unprotect}>${t('kept.stop')}</button>`
            : html`<button class="button" type="button" @click=${() => this.#asked(true)}>${t('kept.protect')}</button>`
        }
      </div>
      ${state === 'open' ? html`<sotto-passkey-settings></sotto-passkey-settings>` : nothing}`
  }

  #asked(isAsked: boolean): void {
    this.isAsked = isAsked
    this.said = ''
    if (isAsked)
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('#passphrase')?.focus())
  }

  readonly #ask = (): void => {
    this.isSure = !this.isSure
  }

  readonly #erase = async (): Promise<void> => {
    await chat.erase()
    this.isSure = false
    this.dispatchEvent(new Event('erased'))
  }

  readonly #protect = async (event: Event): Promise<void> => {
    event.preventDefault()
    const passphrase = this.renderRoot.querySelector<HTMLInputElement>('#passphrase')?.value ?? ''
    this.isAsked = false
    this.said = t('kept.encrypting')
    await this.#say(archive.protect(passphrase), t('kept.isEncrypted'))
  }

  readonly #unprotect = (): Promise<void> => this.#say(archive.protect(undefined), t('kept.isReadable'))

  readonly #lock = async (): Promise<void> => {
    await lock()
    this.dispatchEvent(new Event('erased'))
  }

  readonly #pick = (): void => this.renderRoot.querySelector<HTMLInputElement>('input[type=file]')?.click()

  readonly #import = async (event: Event): Promise<void> => {
    const input = event.target as HTMLInputElement
    const file = input.files?.[0]
    input.value = ''
    if (!file) return
    const take = async () => library.takeIn(importFile(await file.text(), chat.era))
    await this.#say(take(), t('kept.taken', { name: file.name }))
  }

  async #say(work: Promise<unknown>, done: string): Promise<void> {
    try {
      await work
      this.said = done
    } catch (error) {
      this.said = error instanceof Error ? error.message : String(error)
    }
  }
}

customElements.define('sotto-kept-data', KeptData)
