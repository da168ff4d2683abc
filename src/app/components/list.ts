/** The conversations that this browser keeps. */
import { html, LitElement, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { ago } from '../format.ts'
import { type Conversation, renamed } from '../history/conversation.ts'
import { setRegister } from '../history/register.ts'
import { parts, t } from '../language.ts'
import { chat } from '../state/chat.ts'
import { library } from '../state/library.ts'
import { readAhead, search } from '../state/search.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import { listLook } from '../styles/list.ts'
import { rowsInSight } from './rows.ts'

export class List extends LitElement {
  static override properties = { query: { state: true }, renaming: { state: true }, menuOf: { state: true } }
  /** What is looked for. */
  declare query: string
  /** Which conversation is being given another name. */
  declare renaming: string
  /** Whose menu is open. */
  declare menuOf: string

  static override styles = [base, listLook]

  /** What was looked for last. */
  #asked = ''

  constructor() {
    super()
    this.query = ''
    this.renaming = ''
    this.menuOf = ''
    new Watch(this, chat, library)
  }

  protected override updated(): void {
    this.renderRoot.querySelector<HTMLInputElement>('.rename input')?.focus()
  }

  protected override render() {
    const { kept, removed } = library.state
    const found = search(kept, this.query)
    return html`
      <div class="top">
        <button class="button new" @click=${this.#new}>${icons.plus} ${t('list.new')}</button>
        <button class="icon" aria-label=${t('list.hide')} title=${t('list.hide')} @click=${this.#close}>
          ${icons.close}
        </button>
      </div>
      ${
        kept.length > 1
          ? html`<search class="find"><input type="search" dir="auto" aria-label=${t('list.search')} placeholder=${t('list.find')} @input=${this.#search} /></search>`
          : nothing
      }
      <nav aria-label=${t('list.kept')} tabindex="-1" @scroll=${() => this.requestUpdate()}>
        ${this.#rows(found)}
        ${kept.length > 0 && found.length === 0 ? html`<p class="note" role="status">${t('list.nothing')}</p>` : nothing}
      </nav>
      <div popover id="menu" aria-label=${t('more')} @toggle=${this.#toggled}>${this.#menu()}</div>
      ${removed ? html`<p class="note" role="status">${parts('list.deleted', { title: html`<bdi>${removed.title.value}</bdi>` })} <button class="undo" @click=${() => library.undo()}>${t('list.undo')}</button></p>` : nothing}
      <p class="note">
        ${kept.length === 0 ? `${t('list.empty')} ` : ''}${t('list.where')}
      </p>
    `
  }

  /** Those in sight alone, with room for the others. */
  #rows(found: readonly Conversation[]) {
    const nav = this.renderRoot.querySelector('nav')
    const height = 3.625 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
    const { from, to } = rowsInSight(found.length, {
      top: nav?.scrollTop ?? 0,
      view: nav?.clientHeight || innerHeight,
      height,
    })
    return html`<ul .style=${`padding-block: ${from * height}px ${(found.length - to) * height}px`}>
      ${repeat(
        found.slice(from, to),
        ({ id }) => id,
        (conversation, at) => this.#row(conversation, from + at + 1, found.length),
      )}
    </ul>`
  }

  #row(conversation: Conversation, at: number, of: number) {
    const { id, pinned, updated } = conversation
    const title = conversation.title.value
    const open = id === chat.state.conversation.id
    if (id === this.renaming)
      return html`<li aria-posinset=${at} aria-setsize=${of}>
        <form class="rename pick" @submit=${this.#rename} @focusout=${this.#rename} @keydown=${this.#renameKeys}>
          <input dir="auto" aria-label=${t('list.name')} maxlength="120" .value=${title} />
        </form>
      </li>`
    return html`<li class=${open ? 'open' : ''} aria-posinset=${at} aria-setsize=${of}>
      <button class="pick" aria-current=${open ? 'true' : 'false'} @click=${() => this.#pick(conversation)}>
        <b dir="auto">${pinned.value ? html`<span class="hidden">${t('list.pinned')}</span>${icons.pin}` : nothing}${title}</b><small>${ago(updated)}</small>
      </button>
      <button class="icon" aria-label=${t('list.moreFor', { title })} title=${t('more')} aria-haspopup="true" @click=${(event: Event) => this.#more(event, id)}>
        ${icons.more}
      </button>
      <button class="icon" aria-label=${t('list.deleteOf', { title })} title=${t('list.delete')} @click=${() => chat.remove(conversation)}>
        ${icons.trash}
      </button>
    </li>`
  }

  #menu() {
    const conversation = library.find(this.menuOf)
    if (!conversation) return nothing
    const { id, pinned } = conversation
    const act = (name: string, run: () => void) =>
      html`<button
        @click=${() => {
          this.#popover?.hidePopover()
          run()
        }}
      >
        ${name}
      </button>`
    return html`
      ${act(t('list.rename'), () => {
        this.renaming = id
      })}
      ${act(
        t(pinned.value ? 'list.unpin' : 'list.pin'),
        () =>
          void chat.amend(id, (before) => ({ ...before, pinned: setRegister(before.pinned, !pinned.value) })),
      )}
      ${act(t('list.markdown'), async () => (await import('../state/export.ts')).exportMarkdown(conversation))}
    `
  }

  get #popover(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>('#menu')
  }

  #more(event: Event, id: string): void {
    this.menuOf = id
    const menu = this.#popover
    if (!menu) return
    const { bottom, right } = (event.currentTarget as HTMLElement).getBoundingClientRect()
    // The page's policy allows styles that a script sets, and none in attributes.
    menu.style.top = `${Math.min(bottom, innerHeight - 150)}px`
    menu.style.left = `${Math.max(8, right - 190)}px`
    menu.showPopover()
    void this.updateComplete.then(() => menu.querySelector('button')?.focus())
  }

  readonly #toggled = (event: Event): void => {
    if ((event as ToggleEvent).newState === 'closed') this.menuOf = ''
  }

  readonly #search = async (event: Event): Promise<void> => {
    const { value } = event.target as HTMLInputElement
    this.#asked = value
    await readAhead(library.state.kept)
    if (this.#asked === value) this.query = value
  }

  readonly #rename = (event: Event): void => {
    event.preventDefault()
    const id = this.renaming
    const name = this.renderRoot.querySelector<HTMLInputElement>('.rename input')?.value.trim()
    this.renaming = ''
    if (id && name && name !== library.find(id)?.title.value)
      void chat.amend(id, (conversation) => renamed(conversation, name))
  }

  readonly #renameKeys = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return
    event.preventDefault()
    this.renaming = ''
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
