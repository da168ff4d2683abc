/** The bar above the conversation. */
import { css, html, LitElement, nothing } from 'lit'
import { t } from '../language.ts'
import { chat } from '../state/chat.ts'
import { settings } from '../state/settings.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import './model-picker.ts'

export class Header extends LitElement {
  static override properties = {
    chat: { type: Boolean },
    list: { type: Boolean },
    panel: { type: Boolean },
  }
  /** Whether there is a conversation below. */
  declare chat: boolean
  declare list: boolean
  declare panel: boolean

  static override styles = [
    base,
    css`
      header {
        display: flex;
        align-items: center;
        gap: 4px;
        height: 60px;
        padding: 0 10px;
        border-bottom: 1px solid var(--line);
      }
      .name {
        display: flex;
        align-items: center;
        gap: 9px;
        margin: 0 6px 0 4px;
        font: italic 1.4rem/1 var(--serif);
        letter-spacing: -0.01em;
      }
      .title {
        flex: 1;
        min-width: 0;
        overflow: hidden;
        padding-inline-start: 4px;
        color: var(--soft);
        font-size: 0.9375rem;
        font-weight: 400;
        text-overflow: ellipsis;
        white-space: nowrap;
        container-type: inline-size;
      }
      /* A letter or two of a title say nothing. */
      @container (max-width: 4rem) {
        .title span {
          display: none;
        }
      }
      .see {
        display: flex;
        align-items: center;
        gap: 8px;
        flex: none;
        height: 40px;
        padding: 0 12px 0 10px;
        white-space: nowrap;
        border-radius: 10px;
        color: var(--soft);
        font-size: 0.9375rem;
      }
      .see:hover {
        background: var(--sunk);
        color: var(--ink);
      }
      .see[aria-pressed='true'] {
        color: var(--you);
      }
      @media (max-width: 560px) {
        .see span,
        .title span {
          display: none;
        }
        /* Room for the model's name; the mark stays, and the word for who listens. */
        .name:has(+ sotto-model-picker[several]) span {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        .see {
          padding: 0 10px;
        }
      }
    `,
  ]

  constructor() {
    super()
    this.chat = true
    this.list = false
    this.panel = false
    new Watch(this, chat, settings)
  }

  protected override render() {
    const { conversation } = chat.state
    return html`<header>
      ${
        this.chat
          ? html`<button class="icon" aria-label=${t('app.conversations')} title=${t('app.conversations')} aria-pressed=${this.list} @click=${this.#emit('toggle-list')}>
              ${icons.menu}
            </button>`
          : nothing
      }
      <h1 class="name">${icons.mark}<span>sotto</span></h1>
      <sotto-model-picker></sotto-model-picker>
      <p class="title" dir="auto">${this.chat ? html`<span>${conversation.temporary ? t('header.temporary') : conversation.title.value}</span>` : nothing}</p>
      ${
        this.chat
          ? html`<button
              class="icon"
              aria-pressed=${conversation.temporary}
              aria-label=${t('header.temporaryHint')}
              title=${t('header.temporaryHint')}
              @click=${() => chat.toggleTemporary()}
            >
              ${icons.fading}
            </button>`
          : nothing
      }
      <button class="icon" aria-label=${t('settings')} title=${t('settings')} @click=${this.#emit('open-settings')}>${icons.gear}</button>
      <button class="see" aria-pressed=${this.panel} aria-label=${t('app.who')} title=${t('app.who')} @click=${this.#emit('toggle-panel')}>
        ${icons.eye}<span>${t('app.who')}</span>
      </button>
    </header>`
  }

  #emit(name: string): () => void {
    return () => this.dispatchEvent(new Event(name))
  }
}

customElements.define('sotto-header', Header)
