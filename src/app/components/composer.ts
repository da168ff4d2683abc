/** Where a message is written, and how ready the engine is for it. */
import { css, html, LitElement, nothing } from 'lit'
import { way } from '../format.ts'
import { chat } from '../state/chat.ts'
import { engine } from '../state/engine.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import { meter } from './meter.ts'
import { describe } from './progress.ts'

export class Composer extends LitElement {
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
      .ways {
        overflow: hidden;
        padding: 4px 6px;
        text-overflow: ellipsis;
      }
      .ways:hover {
        color: var(--ink);
      }
      @media (max-width: 560px) {
        :host {
          padding-inline: 12px;
        }
      }
    `,
    meter.styles,
  ]

  constructor() {
    super()
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

  protected override render() {
    const busy = chat.state.draft !== undefined
    const empty = !this.#field?.value.trim()
    return html`
      <form @submit=${this.#submit}>
        <textarea
          rows="1"
          aria-label="Message"
          placeholder="Write to the model"
          enterkeyhint="send"
          autocomplete="off"
          maxlength="8000"
          @input=${this.#input}
          @keydown=${this.#keys}
        ></textarea>
        ${
          busy
            ? html`<button class="go" type="button" aria-label="Stop" title="Stop (Esc)" ?disabled=${chat.state.stopping} @click=${() => chat.stop()}>${icons.stop}</button>`
            : html`<button class="go" aria-label="Send" title="Send (Enter)" ?disabled=${empty}>${icons.send}</button>`
        }
      </form>
      <div class="state">${this.#ready()}${this.#ways()}</div>
    `
  }

  #ready() {
    const { phase, stats, progress } = engine.state
    if (phase === 'open') {
      const ready = stats?.tokensReady ?? 0
      return html`<span class="ready" title="Work that doesn’t depend on your words is done ahead, while you type">
        ${meter.render(ready)}<span>${ready} ${ready === 1 ? 'token' : 'tokens'} ready</span>
      </span>`
    }
    if (phase === 'opening')
      return html`<span class="ready">${progress ? describe(progress) : 'Connecting'}…</span>`
    if (phase === 'starting') return html`<span class="ready">Asking the server for its models…</span>`
    return html`<span class="ready">${phase === 'offer' ? 'Not connected yet' : 'Not connected'}</span>`
  }

  #ways() {
    const { session } = engine.state
    if (!session) return nothing
    return html`<button class="ways" title="How this browser computes and connects, and why" @click=${this.#openPanel}>
      ${way(session.backend.name)} · ${way(session.link.kind)}
    </button>`
  }

  readonly #input = (): void => {
    engine.prepare()
    this.requestUpdate()
  }

  readonly #keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#submit(event)
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    const field = this.#field
    if (!field || chat.state.draft !== undefined || !field.value.trim()) return
    chat.send(field.value)
    field.value = ''
  }

  readonly #openPanel = (): void => {
    this.dispatchEvent(new Event('open-panel', { bubbles: true, composed: true }))
  }
}

customElements.define('sotto-composer', Composer)
