/** A private chat in somebody's page: one conversation, which is gone with the frame. */
import { css, html, nothing, type PropertyDeclarations } from 'lit'
import type { ChatMessage } from '../../client/types.ts'
import type { HostMessage } from '../../widget/messages.ts'
import { t } from '../language.ts'
import { base } from '../styles/base.ts'
import { inOneLine } from '../trouble.ts'
import './consent.ts'
import type { Host } from './host-link.ts'
import { EmbeddedView } from './view.ts'

/** The longest reply, in tokens. */
const REPLY_TOKENS = 128

/** What the page around hears, for the visitor. */
function heardBy(around: Host | 'nobody'): string {
  if (around === 'nobody') return t('embed.alone')
  const { name, mayRead } = around
  return t(mayRead ? 'embed.reads' : 'embed.hears', { name })
}

export class ChatView extends EmbeddedView {
  static override properties: PropertyDeclarations = { turns: { state: true }, draft: { state: true } }
  declare turns: ChatMessage[]
  /** The reply that is being written. */
  declare draft: string | undefined
  #abort?: AbortController

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr) auto;
        height: 100dvh;
        background: var(--paper);
      }
      header, form {
        display: flex;
        gap: 10px;
        align-items: center;
        padding: 10px 14px;
        border-block-end: 1px solid var(--line);
        font-size: 0.8125rem;
        color: var(--soft);
      }
      header a {
        color: inherit;
        margin-inline-end: auto;
      }
      form {
        border-block: 1px solid var(--line) 0;
      }
      main {
        overflow-y: auto;
        padding: 14px;
      }
      textarea {
        flex: 1;
        resize: none;
        padding: 9px 12px;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--sheet);
        font: 1rem/1.4 var(--sans);
      }
      form button {
        padding: 9px 14px;
        border-radius: var(--radius);
        background: var(--you);
        color: var(--on-you);
        font-weight: 600;
      }
      article {
        margin-bottom: 12px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .you {
        width: fit-content;
        max-width: 85%;
        margin-inline-start: auto;
        padding: 8px 12px;
        border-radius: var(--radius);
        background: var(--you-sheet);
      }
      .problem {
        color: var(--danger);
      }
    `,
  ]

  constructor() {
    super()
    this.turns = []
  }

  protected override asked(message: HostMessage): void {
    if (message.type !== 'reset') return
    this.#abort?.abort()
    this.turns = []
  }

  protected override render() {
    const { model, around, isAgreed, draft, error } = this
    return html`
      <header>
        <a href=${new URL('./', location.href).href} target="_blank" rel="noopener">${t('embed.private')} · ${location.host}</a>
        <button type="button" @click=${() => this.asked({ type: 'reset' })}>${t('list.new')}</button>
        <button type="button" aria-label=${t('close')} @click=${() => this.host.send({ type: 'close' })}>×</button>
      </header>
      <main aria-busy=${String(draft !== undefined)}>
        ${model && around && !isAgreed ? html`<sotto-consent .model=${model} verb=${t('embed.start')} extent=${heardBy(around)} @agree=${this.#agree}></sotto-consent>` : nothing}
        <div role="log" aria-label=${t('thread.label')}>
          ${this.turns.map(
            ({ role, content }) =>
              html`<article class=${role === 'user' ? 'you' : 'model'} dir="auto">${content}</article>`,
          )}
          ${draft === undefined ? nothing : html`<article class="model draft" dir="auto">${draft || '…'}</article>`}
        </div>
        ${
          error
            ? html`<p class="problem" role="alert">
                ${inOneLine(error)} <button type="button" @click=${this.#retry}>${t('again')}</button>
              </p>`
            : nothing
        }
      </main>
      ${
        isAgreed
          ? html`<form @submit=${this.#submit}>
              <textarea rows="1" aria-label=${t('composer.message')} dir="auto" @keydown=${this.#keys}></textarea>
              <button>${t(draft === undefined ? 'composer.send' : 'stop')}</button>
            </form>`
          : nothing
      }
    `
  }

  readonly #agree = (): void => {
    this.isAgreed = true
  }

  readonly #keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    ;(event.target as HTMLTextAreaElement).form?.requestSubmit()
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (this.draft !== undefined) {
      this.#abort?.abort()
      return
    }
    const field = (event.target as HTMLFormElement).querySelector('textarea')!
    const content = field.value.trim()
    if (content === '') return
    field.value = ''
    this.#say({ role: 'user', content })
    void this.#answer()
  }

  readonly #retry = (): void => {
    if (this.turns.at(-1)?.role === 'user') void this.#answer()
    else void this.look()
  }

  #say(turn: ChatMessage & { role: 'user' | 'assistant'; content: string }): void {
    this.turns = [...this.turns, turn]
    this.host.send({ type: 'message', role: turn.role, content: turn.content })
  }

  async #answer(): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    const asked = this.turns
    this.error = undefined
    this.draft = ''
    try {
      const { chat } = await this.client()
      const params = {
        model: this.model!.name,
        messages: asked,
        max_tokens: REPLY_TOKENS,
        stream: true,
      } as const
      for await (const { choices } of await chat.completions.create(params, { signal: abort.signal }))
        this.draft += choices[0]?.delta.content ?? ''
    } catch (reason) {
      if (!abort.signal.aborted) this.fail(reason)
    }
    const content = this.draft ?? ''
    this.draft = undefined
    // A conversation that was begun anew meanwhile has no place for it.
    if (content !== '' && this.turns === asked) this.#say({ role: 'assistant', content })
  }
}

customElements.define('sotto-embedded-chat', ChatView)
