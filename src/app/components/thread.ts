/** The conversation, from its first turn to the one being written. */
import { css, html, LitElement, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { chat } from '../state/chat.ts'
import type { Turn } from '../state/conversations.ts'
import { engine } from '../state/engine.ts'
import { storage } from '../state/storage.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { problem } from './problem.ts'
import { progress } from './progress.ts'
import './turn.ts'
import './welcome.ts'

/** Within this many pixels of the end, the view follows what is being written. */
const near = 96

export class Thread extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        overflow-y: auto;
        overflow-anchor: none;
        scrollbar-gutter: stable both-edges;
        scrollbar-width: thin;
      }
      .column {
        max-width: 45rem;
        margin: 0 auto;
        padding: 28px 24px 20px;
      }
      sotto-turn + sotto-turn {
        margin-top: 20px;
      }
      sotto-turn + .tail,
      .notice + .tail {
        margin-top: 20px;
      }
      .stalled {
        margin-top: 8px;
        color: var(--soft);
        font-size: 0.9375rem;
      }
      .notice {
        margin: 20px 0;
        padding-left: 14px;
        border-left: 2px solid var(--server);
        color: var(--soft);
        font-size: 0.9375rem;
      }
      @media (max-width: 560px) {
        .column {
          padding: 20px 18px 16px;
        }
      }
    `,
    problem.styles,
    progress.styles,
  ]

  #follow = true
  #shown = ''

  constructor() {
    super()
    new Watch(this, chat, engine, chat.announcer, storage)
    this.addEventListener('scroll', () => {
      this.#follow = this.scrollHeight - this.scrollTop - this.clientHeight < near
    })
  }

  protected override updated(): void {
    const { conversation, draft } = chat.state
    const shown = `${conversation.id}/${conversation.turns.length}`
    // A new turn, or another conversation, always comes into view; a growing one only if the reader is at the end.
    if (shown !== this.#shown) this.#follow = true
    this.#shown = shown
    if (this.#follow && (draft !== undefined || conversation.turns.length > 0)) this.#toEnd()
  }

  /** Scrolls once the turns have rendered, too: they do so after this component. */
  #toEnd(): void {
    requestAnimationFrame(() => {
      this.scrollTop = this.scrollHeight
    })
  }

  protected override render() {
    const { conversation, draft } = chat.state
    const { turns } = conversation
    return html`
      <div class="column" role="log" aria-live="off" aria-label="Conversation" aria-busy=${draft !== undefined} tabindex="0">
        ${repeat(
          turns,
          (turn) => turn.id,
          (turn, at) => html`<sotto-turn .turn=${turn} ?last=${at === turns.length - 1}></sotto-turn>`,
        )}
        ${this.#tail(turns.at(-1), draft)}
        ${turns.length === 0 ? html`<sotto-welcome></sotto-welcome>` : nothing}
      </div>
      <p class="hidden" role="status" aria-live="polite">${chat.announcer.state.sentence}</p>
    `
  }

  #tail(last: Turn | undefined, draft: string | undefined) {
    const { notice, progress: now } = engine.state
    const { stalled } = chat.state
    return html`
      ${notice ? html`<p class="notice">${notice}</p>` : nothing}
      ${storage.state.text && !chat.state.conversation.temporary ? html`<p class="notice" role="status">${storage.state.text}</p>` : nothing}
      <div class="tail">
        ${draft ? html`<sotto-turn writing .turn=${{ id: 'draft', role: 'assistant', content: draft, at: 0 }}></sotto-turn>` : nothing}
        ${draft && now?.phase === 'padding' ? html`<p class="stalled">Hiding how long the reply is…</p>` : nothing}
        ${draft && stalled && now?.phase !== 'padding' ? html`<p class="stalled">Waiting for the model server. It may be busy, or gone; Esc stops.</p>` : nothing}
        ${draft === '' ? progress.render(engine.state, chat.state.stopping, 'message') : nothing}
        ${draft === undefined ? this.#trouble(last) : nothing}
      </div>
    `
  }

  #trouble(last: Turn | undefined) {
    const unanswered = last?.role === 'user'
    const error = chat.state.error ?? engine.state.error
    if (error)
      return problem.render(
        error,
        () => (unanswered ? chat.regenerate() : engine.ready().catch(() => undefined)),
        engine.state.model?.protection.notice.afterFailure,
      )
    if (unanswered) return problem.unanswered(() => chat.regenerate())
    return nothing
  }
}

customElements.define('sotto-thread', Thread)
