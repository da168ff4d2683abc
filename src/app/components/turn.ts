/** One turn of a conversation: what was said, and what the server saw instead. */
import { html, LitElement, nothing, type PropertyValues } from 'lit'
import { decimal, word } from '../format.ts'
import { branchesAt, isBroken, type Turn } from '../history/tree.ts'
import { has, number, t } from '../language.ts'
import { isMadeUp } from '../names.ts'
import { chat } from '../state/chat.ts'
import { engine } from '../state/engine.ts'
import { Formatted, formatter } from '../state/formatter.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import { prose } from '../styles/prose.ts'
import { turn as turnStyles } from '../styles/turn.ts'

/** Why a reply ended, where that says something. */
function ending(finish: string | undefined): string | undefined {
  const key = `finish.${finish}`
  return has(key) ? t(key) : undefined
}

export class TurnView extends LitElement {
  static override properties = {
    turn: { attribute: false },
    last: { type: Boolean },
    writing: { type: Boolean, reflect: true },
    editing: { state: true },
    copied: { state: true },
  }
  declare turn: Turn
  /** Whether this is the last turn, which may be regenerated. */
  declare last: boolean
  /** Whether it is still being written. */
  declare writing: boolean
  declare editing: boolean
  declare copied: boolean
  readonly #formatted = new Formatted()

  static override styles = [base, prose, turnStyles]

  constructor() {
    super()
    new Watch(this, formatter)
    this.last = false
    this.writing = false
    this.editing = false
    this.copied = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    // While the model reads, what shows its reply is loaded.
    formatter.load('render')
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('editing') && this.editing) this.renderRoot.querySelector('textarea')?.focus()
  }

  protected override render() {
    const { turn } = this
    const mine = turn.role === 'user'
    return html`<article class=${mine ? 'you' : 'model'}>
      <div class="head">
        <h2 class="who">${mine ? t('turn.you') : (turn.model ?? t('turn.model'))}</h2>
        ${mine && !this.editing ? this.#tools() : nothing}
      </div>
      ${mine && this.editing ? this.#editor() : html`<div class="said ${mine ? '' : 'prose'}" dir="auto" @click=${this.#copyCode}>${this.#said()}</div>`}
      ${this.#wire()} ${mine ? nothing : this.#caution()} ${mine ? nothing : this.#exposed()} ${mine || this.writing ? nothing : this.#foot()}
    </article>`
  }

  #said() {
    const { role, content } = this.turn
    if (role === 'user') return content
    if (content) {
      const shown = withButtons(formatter.format(content, this.#formatted, this.writing))
      return this.writing ? withCaret(shown) : shown
    }
    return html`<p class="silent">${t('turn.silent')}</p>`
  }

  #wire() {
    const { wire } = this.turn
    if (!wire) return nothing
    return html`<button class="wire" title=${t('turn.wire')} @click=${this.#open}>
      <em>${t('wire.sample')}</em> <bdi dir="ltr">${wire.map(word).join(' ')}</bdi>
    </button>`
  }

  /** What the model says of itself. */
  #caution() {
    if (!isMadeUp(engine.state.model)) return nothing
    return html`<p class="caution">${t('turn.caution')}</p>`
  }

  /** What a host with similar text would read of a reply that is not hidden from it. */
  #exposed() {
    const { exposed } = this.turn
    if (!exposed) return nothing
    return html`<details class="exposed">
      <summary>${t('turn.exposed')}</summary>
      <p dir="auto">${exposed}</p>
    </details>`
  }

  /** Which of several questions or replies at this place this is, and the way to the others. */
  #branches() {
    const beside = branchesAt(chat.state.conversation, this.turn)
    if (beside.length < 2) return nothing
    const at = beside.findIndex(({ id }) => id === this.turn.id)
    const what = this.turn.role === 'user' ? 'Question' : 'Reply'
    const to = (name: string, other: Turn | undefined, icon: unknown) =>
      html`<button class="icon" aria-label=${name} title=${name} ?disabled=${!other} @click=${() => other && chat.choose(other)}>${icon}</button>`
    return html`<div class="branches" role="group" aria-label=${t(what === 'Question' ? 'turn.questions' : 'turn.replies')}>
      ${to(t(`turn.earlier${what}`), beside[at - 1], icons.left)}<span>${number(at + 1)}/${number(beside.length)}</span>${to(t(`turn.later${what}`), beside[at + 1], icons.right)}
    </div>`
  }

  /** What can be done with a question. */
  #tools() {
    return html`${this.#branches()}<div class="tools">
      ${this.#copyButton()}
      <button class="icon" aria-label=${t('turn.edit')} title=${t('turn.edit')} @click=${() => this.#edit(true)}>
        ${icons.edit}
      </button>
    </div>`
  }

  /** What can be done with a reply, and what it took. */
  #foot() {
    const { finish, tokens, padded, seconds } = this.turn
    const note = ending(finish)
    return html`<div class="foot">
      ${this.#copyButton()}
      ${this.last ? html`<button class="icon" aria-label=${t('turn.again')} title=${t('turn.beside')} @click=${() => chat.again()}>${icons.again}</button>` : nothing}
      ${this.#branches()}
      ${this.last && isBroken(this.turn) ? html`<button class="button on" @click=${() => chat.goOn()}>${t('goOn')}</button>` : nothing}
      ${tokens ? html`<span>${t(padded ? 'turn.tookPadded' : 'turn.took', { n: tokens, padded: padded ?? 0, seconds: decimal(seconds ?? 0) })}${note ? html` · ${note}` : nothing}</span>` : note ? html`<span>${note}</span>` : nothing}
    </div>`
  }

  #copyButton() {
    // Browsers offer the clipboard to secure pages only.
    if (!navigator.clipboard) return nothing
    return html`<button class="icon" aria-label=${t('turn.copy')} title=${t('turn.copy')} @click=${this.#copy}>
      ${this.copied ? icons.check : icons.copy}
    </button>`
  }

  #editor() {
    return html`<form @submit=${this.#submit} @keydown=${this.#keys}>
      <textarea aria-label=${t('turn.message')} dir="auto" rows="2" .value=${this.turn.content}></textarea>
      <div>
        <button class="button main">${t('turn.ask')}</button>
        <button class="button" type="button" @click=${() => this.#edit(false)}>${t('turn.keep')}</button>
      </div>
    </form>`
  }

  #edit(editing: boolean): void {
    this.editing = editing
  }

  #keys(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.preventDefault()
      this.#edit(false)
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#submit(event)
  }

  #submit(event: Event): void {
    event.preventDefault()
    const text = this.renderRoot.querySelector('textarea')?.value ?? ''
    this.#edit(false)
    chat.edit(this.turn, text)
  }

  readonly #open = (): void => {
    this.dispatchEvent(new Event('open-panel', { bubbles: true, composed: true }))
  }

  readonly #copyCode = async (event: Event): Promise<void> => {
    const button = event.target
    if (!(button instanceof HTMLButtonElement) || button.className !== 'copy') return
    await navigator.clipboard.writeText(button.parentElement?.querySelector('pre')?.textContent ?? '')
    button.textContent = t('turn.copied')
    setTimeout(() => {
      button.textContent = t('turn.copyCode')
    }, 1600)
  }

  readonly #copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(this.turn.content)
    this.copied = true
    setTimeout(() => {
      this.copied = false
    }, 1600)
  }
}

/** A reply, with a button to each block of code. */
function withButtons(fragment: DocumentFragment): DocumentFragment {
  for (const block of navigator.clipboard ? fragment.querySelectorAll('pre') : []) {
    const around = document.createElement('div')
    around.className = 'block'
    block.replaceWith(around)
    const button = document.createElement('button')
    button.className = 'copy'
    button.textContent = t('turn.copyCode')
    around.append(block, button)
  }
  return fragment
}

/** Ends the text with a caret, inside whatever list or paragraph it ends in. */
function withCaret(fragment: DocumentFragment): DocumentFragment {
  let end: ParentNode & Node = fragment
  // White space between blocks doesn't count as text to end after.
  while (
    end.lastElementChild &&
    (end.lastElementChild === end.lastChild || !end.lastChild?.textContent?.trim())
  )
    end = end.lastElementChild
  const caret = document.createElement('span')
  caret.className = 'caret'
  end.appendChild(caret)
  return fragment
}

customElements.define('sotto-turn', TurnView)
