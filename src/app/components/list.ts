/** The conversations that this browser keeps. */
import { css, html, LitElement, nothing } from 'lit'
import { ago } from '../format.ts'
import type { Conversation } from '../history/conversation.ts'
import { chat } from '../state/chat.ts'
import { library } from '../state/library.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'

export class List extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
        border-right: 1px solid var(--line);
        background: var(--paper);
      }
      .top {
        display: flex;
        align-items: center;
        gap: 8px;
        height: 60px;
        padding: 0 10px 0 14px;
        border-bottom: 1px solid var(--line);
      }
      .new {
        flex: 1;
        min-height: 38px;
        justify-content: flex-start;
        padding: 0 14px 0 10px;
      }
      nav {
        flex: 1;
        overflow-y: auto;
        scrollbar-width: thin;
        padding: 10px 8px;
      }
      li {
        position: relative;
        display: flex;
        border-radius: 10px;
      }
      li:hover,
      li:focus-within {
        background: var(--sunk);
      }
      li.open {
        background: var(--you-sheet);
      }
      .pick {
        flex: 1;
        min-width: 0;
        padding: 9px 4px 9px 12px;
        font-size: 0.9375rem;
        line-height: 1.35;
      }
      .pick b {
        display: block;
        overflow: hidden;
        font-weight: 400;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .pick small {
        color: var(--soft);
        font-size: 0.8125rem;
      }
      li .icon {
        align-self: center;
        opacity: 0;
      }
      li:hover .icon,
      li:focus-within .icon {
        opacity: 1;
      }
      @media (hover: none) {
        li .icon {
          opacity: 1;
        }
      }
      .undo {
        min-height: 24px;
        padding: 0 4px;
        color: var(--you);
        text-decoration: underline;
        text-underline-offset: 2px;
      }
      .note {
        padding: 12px 16px 16px;
        color: var(--soft);
        font-size: 0.8125rem;
      }
    `,
  ]

  constructor() {
    super()
    new Watch(this, chat, library)
  }

  protected override render() {
    const { kept, removed } = library.state
    return html`
      <div class="top">
        <button class="button new" @click=${this.#new}>${icons.plus} New chat</button>
        <button class="icon" aria-label="Hide conversations" title="Hide conversations" @click=${this.#close}>
          ${icons.close}
        </button>
      </div>
      <nav aria-label="Kept conversations">
        <ul>
          ${kept.map((conversation) => this.#row(conversation))}
        </ul>
      </nav>
      ${removed ? html`<p class="note" role="status">Deleted “${removed.title.value}”. <button class="undo" @click=${() => library.undo()}>Undo</button></p>` : nothing}
      <p class="note">
        ${kept.length === 0 ? 'Conversations will appear here. ' : ''}Kept in this browser only. Export or erase them in the settings.
      </p>
    `
  }

  #row(conversation: Conversation) {
    const open = conversation.id === chat.state.conversation.id
    return html`<li class=${open ? 'open' : ''}>
      <button class="pick" aria-current=${open ? 'true' : 'false'} @click=${() => this.#pick(conversation)}>
        <b>${conversation.title.value}</b><small>${ago(conversation.updated)}</small>
      </button>
      <button class="icon" aria-label="Delete “${conversation.title.value}”" title="Delete" @click=${() => chat.remove(conversation)}>
        ${icons.trash}
      </button>
    </li>`
  }

  #pick(conversation: Conversation): void {
    // The open one may hold more than what was last written to storage.
    if (conversation.id !== chat.state.conversation.id) chat.open(conversation)
    this.dispatchEvent(new Event('picked'))
  }

  readonly #new = (): void => {
    chat.begin()
    this.dispatchEvent(new Event('picked'))
  }

  readonly #close = (): void => {
    this.dispatchEvent(new Event('close-list'))
  }
}

customElements.define('sotto-list', List)
