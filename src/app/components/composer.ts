/** Where a message is written, and how ready the engine is for it. */
import { css, html, LitElement, nothing } from 'lit'
import type { Measured } from '../../owner/api.ts'
import type { Conversation } from '../history/conversation.ts'
import { t } from '../language.ts'
import { chat } from '../state/chat.ts'
import { drafts } from '../state/drafts.ts'
import { engine } from '../state/engine.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import { inOneLine } from '../trouble.ts'
import { meter } from './meter.ts'
import { describe } from './progress.ts'

export class Composer extends LitElement {
  static override properties = { measured: { state: true }, isChecking: { state: true } }
  /** How long the message is, as far as that is known. */
  declare measured: Measured | undefined
  /** Whether a message waits for its count. */
  declare isChecking: boolean

  static override styles = [
    base,
    css`
      :host {
        padding: 0 24px max(10px, env(safe-area-inset-bottom));
      }
      form {
        display: flex;
        align-items: flex-end;
        gap: 8px;
        max-width: 45rem;
        margin: 0 auto;
        padding: 6px 6px 6px 18px;
        border: 1px solid var(--edge);
        border-radius: 26px;
        background: var(--sheet);
      }
      form:focus-within {
        border-color: var(--you);
        box-shadow: 0 0 0 1px var(--you);
      }
      textarea {
        flex: 1;
        min-width: 0;
        max-height: 38dvh;
        padding: 7px 0;
        border: 0;
        background: none;
        font-size: 1.0625rem;
        line-height: 1.5;
        resize: none;
        field-sizing: content;
      }
      textarea:focus-visible {
        outline: 0;
      }
      textarea::placeholder {
        color: var(--soft);
        opacity: 1;
      }
      .go {
        display: grid;
        place-items: center;
        flex: none;
        width: 40px;
        height: 40px;
        border-radius: 50%;
        background: var(--you);
        color: var(--on-you);
      }
      .go:disabled {
        background: var(--sunk);
        color: var(--soft);
      }
      .go:focus-visible {
        border-radius: 50%;
      }
      .state {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
        max-width: 45rem;
        height: 32px;
        margin: 4px auto 0;
        padding: 0 8px 0 18px;
        color: var(--soft);
        font-size: 0.8125rem;
        white-space: nowrap;
      }
      .ready {
        display: flex;
        align-items: center;
        gap: 8px;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .count {
        flex: none;
        font-variant-numeric: tabular-nums;
      }
      .count.over {
        color: var(--danger);
      }
      .again {
        color: var(--you);
        text-decoration: underline;
        text-underline-offset: 2px;
      }
      @media print {
        :host {
          display: none;
        }
      }
      @media (max-width: 560px) {
        :host {
          padding-inline: 12px;
        }
      }
    `,
    meter.styles,
  ]

  /** The text that was counted last, and the one that is being counted. */
  #counted?: string
  #counting?: string
  /** Whose draft is in the field. */
  #conversation?: Conversation

  constructor() {
    super()
    this.isChecking = false
    new Watch(this, chat, engine)
  }

  override focus(): void {
    this.#field?.focus()
  }

  get #field(): HTMLTextAreaElement | null {
    return this.renderRoot.querySelector('textarea')
  }

  protected override firstUpdated(): void {
    // On a phone, focus would open the keyboard over the page.
    // Focus needs a layout, so it waits for the one that the next picture makes anyway.
    // Nor may it leave whatever a person has just used, say the list of models.
    const isFree = document.activeElement === document.body
    if (isFree && matchMedia('(hover: hover)').matches) requestAnimationFrame(() => this.focus())
  }

  protected override updated(): void {
    const { conversation } = chat.state
    const before = this.#conversation
    this.#conversation = conversation
    if (conversation.id !== before?.id) void this.#showDraft(conversation)
    else if (conversation.system !== before.system) {
      this.#counted = undefined
      void this.#measure()
    }
  }

  protected override render() {
    const busy = chat.state.reply !== undefined
    const empty = !this.#field?.value.trim()
    return html`
      <form @submit=${this.#submit}>
        <textarea
          rows="1"
          dir="auto"
          aria-label=${t('composer.message')}
          aria-describedby="state"
          placeholder=${t('composer.write')}
          enterkeyhint="send"
          autocomplete="off"
          @input=${this.#input}
          @keydown=${this.#keys}
        ></textarea>
        ${
          busy
            ? html`<button class="go" type="button" aria-label=${t('stop')} title=${t('composer.stop')} ?disabled=${chat.state.stopping} @click=${() => chat.stop()}>${icons.stop}</button>`
            : html`<button class="go" aria-label=${t(this.isChecking ? 'composer.checking' : 'composer.send')} title=${t('composer.sendKey')} ?disabled=${empty || this.#isTooLong}>${icons.send}</button>`
        }
      </form>
      <div class="state" id="state">${this.#ready()}${this.#count()}</div>
    `
  }

  #ready() {
    const { phase, stats, progress, away, error } = engine.state
    const again = html`<button class="again" @click=${() => engine.ready().catch(() => undefined)}>${t('composer.tryNow')}</button>`
    if (away) return html`<span class="ready" role="status">${away.text} ${again}</span>`
    if (phase === 'open') {
      const ready = stats?.tokensReady ?? 0
      const title = t('composer.ahead', { n: ready })
      return html`<span class="ready" title=${title}>${meter.render(ready)}<span>${t('composer.ready')}</span></span>`
    }
    if (phase === 'opening')
      return html`<span class="ready">${progress ? `${describe(progress)}…` : t('state.connecting')}</span>`
    if (phase === 'starting') return html`<span class="ready">${t('state.asking')}</span>`
    if (phase === 'offer') return html`<span class="ready">${t('state.offer')}</span>`
    return html`<span class="ready" title=${error ? inOneLine(error) : ''}>${t('composer.notConnected')} ${again}</span>`
  }

  get #isTooLong(): boolean {
    const { measured } = this
    return measured !== undefined && measured.tokens > measured.most
  }

  #count() {
    const { measured } = this
    if (!measured || !this.#field?.value.trim()) return nothing
    const { tokens, most } = measured
    return html`<span class=${this.#isTooLong ? 'count over' : 'count'} title=${t('composer.token')}>
      ${t(this.#isTooLong ? 'composer.over' : 'composer.count', { tokens, n: most })}
    </span>`
  }

  /** Counts what is in the field; a newer text is counted when the one before it has been. */
  async #measure(): Promise<void> {
    const text = this.#field?.value.trim() ?? ''
    if (this.#counting !== undefined || text === this.#counted) return
    this.#counting = text
    this.measured = text ? await engine.measure(text, chat.state.conversation) : undefined
    this.#counted = this.measured || !text ? text : undefined
    this.#counting = undefined
    if (this.measured && this.#field?.value.trim() !== text) await this.#measure()
  }

  async #showDraft(conversation: Conversation): Promise<void> {
    const before = this.#field?.value
    const text = await drafts.get(conversation)
    const field = this.#field
    // Somebody may have gone on typing, or opened another chat.
    if (!field || field.value !== before || conversation.id !== chat.state.conversation.id) return
    field.value = text
    this.requestUpdate()
    void this.#measure()
  }

  readonly #input = (): void => {
    engine.prepare()
    const { value = '' } = this.#field ?? {}
    drafts.set(chat.state.conversation, value)
    void this.#measure()
    this.requestUpdate()
  }

  readonly #keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) void this.#submit(event)
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const text = this.#field?.value ?? ''
    if (chat.state.reply || this.isChecking || !text.trim()) return
    // What is too long is told before anything is sent.
    if (engine.state.phase === 'open' && this.#counted !== text.trim()) {
      this.isChecking = true
      while (this.#counting !== undefined) await new Promise((resolve) => setTimeout(resolve))
      await this.#measure()
      this.isChecking = false
    }
    const field = this.#field
    if (!field || field.value !== text || chat.state.reply || this.#isTooLong) return
    field.value = ''
    this.measured = undefined
    this.#counted = ''
    await chat.send(text)
  }
}

customElements.define('sotto-composer', Composer)
