/** The conversation, from its first turn to the one being written. */
import { css, html, LitElement, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { isEmpty } from '../history/conversation.ts'
import type { Turn } from '../history/tree.ts'
import { t, theirs } from '../language.ts'
import { chat } from '../state/chat.ts'
import { engine } from '../state/engine.ts'
import { storage } from '../state/storage.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import { problem } from './problem.ts'
import { progress } from './progress.ts'
import './turn.ts'
import './welcome.ts'

/** Within this many pixels of the end, the view follows what is being written. */
const near = 96
/** Turns drawn in one task. */
const atOnce = 8

export class Thread extends LitElement {
  static override properties = { isAway: { state: true }, earliest: { state: true } }
  /** Whether the end is out of sight. */
  declare isAway: boolean
  /** Turns before this one are drawn a few at a time, from the end backwards, so that no long chat stalls the page. */
  declare earliest: number

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
      .latest {
        position: sticky;
        bottom: 12px;
        left: 50%;
        translate: -50% 0;
        min-height: 36px;
      }
      @media print {
        :host {
          overflow: visible;
        }
        .latest {
          display: none;
        }
      }
      .stalled {
        margin-top: 8px;
        color: var(--soft);
        font-size: 0.9375rem;
      }
      .notice {
        margin: 20px 0;
        padding-inline-start: 14px;
        border-inline-start: 2px solid var(--server);
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
  #drawn = ''
  readonly #grown = new ResizeObserver(() => this.#follow && this.#toEnd())

  constructor() {
    super()
    this.isAway = false
    this.earliest = 0
    new Watch(this, chat, engine, chat.announcer, storage)
    this.addEventListener('scroll', () => {
      this.#follow = this.scrollHeight - this.scrollTop - this.clientHeight < near
      this.isAway = !this.#follow && !isEmpty(chat.state.conversation)
    })
  }

  protected override firstUpdated(): void {
    const column = this.renderRoot.querySelector('.column')
    if (column) this.#grown.observe(column)
  }

  protected override willUpdate(): void {
    const { id } = chat.state.conversation
    if (id === this.#drawn) return
    this.#drawn = id
    this.earliest = Math.max(0, chat.shown.length - atOnce)
    const more = () => {
      if (this.#drawn !== id || this.earliest === 0) return
      this.earliest = Math.max(0, this.earliest - atOnce)
      setTimeout(more)
    }
    setTimeout(more)
  }

  protected override updated(): void {
    const { conversation, reply } = chat.state
    const shown = `${conversation.id}/${chat.shown.length}`
    // A new turn, or another conversation, always comes into view; a growing one only if the reader is at the end.
    if (shown !== this.#shown) this.#follow = !isEmpty(conversation) || reply !== undefined
    if (shown !== this.#shown && this.#follow) this.#toEnd()
    this.#shown = shown
  }

  /** Turns come into being one after another; the view stays at the end of what there is. */
  #toEnd(): void {
    this.scrollTop = this.scrollHeight
  }

  protected override render() {
    const { conversation, reply } = chat.state
    const turns = chat.shown
    const last = turns.at(-1)
    return html`
      <div class="column" role="log" aria-live="off" aria-label=${t('thread.label')} aria-busy=${reply !== undefined} tabindex="0">
        ${repeat(
          turns.slice(this.earliest),
          (turn) => turn.id,
          (turn) => html`<sotto-turn .turn=${turn} ?last=${turn === last && !reply}></sotto-turn>`,
        )}
        ${this.#tail(last, reply)}
        ${isEmpty(conversation) ? html`<sotto-welcome></sotto-welcome>` : nothing}
      </div>
      ${this.isAway ? html`<button class="latest button" @click=${this.#latest}>${icons.down} ${t('thread.latest')}</button>` : nothing}
      <p class="hidden" role="status" aria-live="polite">${chat.announcer.state.sentence}</p>
    `
  }

  #tail(last: Turn | undefined, reply: Turn | undefined) {
    const { notice, progress: now } = engine.state
    const { stalled, notice: gone, conversation } = chat.state
    return html`
      ${notice ? html`<p class="notice">${theirs(notice)}</p>` : nothing}
      ${gone ? html`<p class="notice" role="status">${gone}</p>` : nothing}
      ${storage.state.text && !conversation.temporary ? html`<p class="notice" role="status">${storage.state.text}</p>` : nothing}
      <div class="tail">
        ${reply?.content ? html`<sotto-turn writing .turn=${reply}></sotto-turn>` : nothing}
        ${reply && now?.phase === 'padding' ? html`<p class="stalled">${t('thread.hiding')}</p>` : nothing}
        ${reply?.content === '' ? progress.render(engine.state, chat.state.stopping, 'message') : nothing}
        ${reply && stalled ? html`<p class="stalled" role="status">${t('thread.stalled', { why: stalled })}</p>` : nothing}
        ${reply ? nothing : this.#trouble(last)}
      </div>
    `
  }

  #trouble(last: Turn | undefined) {
    const unanswered = last?.role === 'user'
    // Until there has been a session, what is wrong with the page is wrong with every chat.
    const error = chat.error ?? (engine.state.wasOpen ? undefined : engine.state.error)
    const comfort = engine.state.model?.protection.notice.afterFailure
    if (error) return problem.render(error, () => this.#retry(last), comfort)
    if (unanswered) return problem.unanswered(() => chat.again())
    return nothing
  }

  #retry(last: Turn | undefined): void {
    if (!last) engine.ready().catch(() => undefined)
    else if (last.role === 'user') void chat.again()
    else void chat.goOn()
  }

  readonly #latest = (): void => {
    this.#follow = true
    this.#toEnd()
  }
}

customElements.define('sotto-thread', Thread)
