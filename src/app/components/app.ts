/** The frame of the page: the list of conversations, the conversation, and who sees what. */
import { css, html, nothing, type PropertyValues } from 'lit'
import { OwnerError, type Task } from '../../owner/api.ts'
import { DeferredElement } from '../defer.ts'
import { vault } from '../history/vault.ts'
import { t } from '../language.ts'
import { chat } from '../state/chat.ts'
import { engine } from '../state/engine.ts'
import { settings } from '../state/settings.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import './composer.ts'
import './drawer.ts'
import './header.ts'
import './list.ts'
import './panel.ts'
import { problem } from './problem.ts'
import type { SettingsDialog } from './settings.ts'
import './thread.ts'

export class App extends DeferredElement {
  static override properties = {
    listOpen: { state: true },
    panelOpen: { state: true },
    task: { state: true },
    isPartMissing: { state: true },
  }
  /** Whether the sheets of a narrow screen are open; wide screens remember theirs in the settings. */
  declare listOpen: boolean
  declare panelOpen: boolean
  /** What the chosen model is for decides what the middle of the page shows. */
  declare task: Task | undefined
  /** Whether code of the page couldn't be loaded: it has been redeployed, or the network is gone. */
  declare isPartMissing: boolean

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        height: 100dvh;
      }
      sotto-list {
        width: 256px;
      }
      sotto-panel {
        width: 384px;
      }
      sotto-drawer:not([inline]) > * {
        width: 100%;
      }
      main {
        /* Also where there is no column before it. */
        grid-column: 2;
        position: relative;
        display: grid;
        grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr);
        min-width: 0;
        height: 100dvh;
        background: var(--sheet);
      }
      @media print {
        :host,
        main {
          display: block;
          height: auto;
        }
        sotto-header,
        sotto-drawer,
        .skip {
          display: none;
        }
      }
      .skip {
        position: absolute;
        z-index: 2;
        top: 8px;
        inset-inline-start: 8px;
      }
      .skip:not(:focus) {
        translate: 0 -80px;
      }
      .problem {
        align-self: start;
        margin: 24px;
      }
    `,
    problem.styles,
  ]

  readonly #twoColumns = matchMedia('(min-width: 800px)')
  readonly #threeColumns = matchMedia('(min-width: 1180px)')

  constructor() {
    super()
    this.listOpen = false
    this.panelOpen = false
    this.task = engine.task
    this.isPartMissing = false
    new Watch(this, chat, settings, vault)
    engine.subscribe(() => {
      this.task = engine.task
    })
    for (const query of [this.#twoColumns, this.#threeColumns])
      query.addEventListener('change', () => this.requestUpdate())
    document.addEventListener('keydown', this.#keys)
  }

  /** Code for classifying is fetched when there is something to classify, and that of the lock where there is one. */
  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('task') && this.task === 'classify') this.#fetch(import('./classify.ts'))
    if (vault.state.state === 'locked') this.#fetch(import('./lock-screen.ts'))
  }

  #fetch(part: Promise<unknown>): void {
    part.catch(() => {
      this.isPartMissing = true
    })
  }

  protected override render() {
    const wideList = this.#twoColumns.matches
    const widePanel = this.#threeColumns.matches
    const list = wideList ? settings.state.list : this.listOpen
    const panel = widePanel ? settings.state.panel : this.panelOpen
    const isChat = this.task !== 'classify'
    const isLocked = isChat && vault.state.state === 'locked'
    return html`
      <button class="skip button" @click=${this.#skip}>${t(isChat ? 'app.skip.chat' : 'app.skip.classify')}</button>
      ${
        isChat && !isLocked
          ? html`<sotto-drawer label=${t('app.conversations')} ?inline=${wideList} ?open=${list} @closed=${this.#closeList}>
              <sotto-list @picked=${this.#picked} @close-list=${this.#toggleList}></sotto-list>
            </sotto-drawer>`
          : nothing
      }
      <main>
        <sotto-header
          ?chat=${isChat}
          ?list=${list}
          ?panel=${panel}
          @toggle-list=${this.#toggleList}
          @toggle-panel=${this.#togglePanel}
          @open-settings=${this.#settings}
        ></sotto-header>
        ${isLocked ? html`<sotto-lock-screen></sotto-lock-screen>` : this.#middle()}
      </main>
      <sotto-drawer side="right" label=${t('app.who')} ?inline=${widePanel} ?open=${panel} @closed=${this.#closePanel}>
        <sotto-panel @close-panel=${this.#togglePanel}></sotto-panel>
      </sotto-drawer>
      <sotto-settings></sotto-settings>
    `
  }

  #middle() {
    if (this.task === undefined) return nothing
    if (this.isPartMissing) {
      const error = new OwnerError('part-missing', t('app.missing'), t('app.reload'))
      return problem.render(error, () => location.reload())
    }
    if (this.task === 'chat')
      return html`<sotto-thread @open-panel=${this.#showPanel}></sotto-thread>
        <sotto-composer @open-panel=${this.#showPanel}></sotto-composer>`
    return html`<sotto-classify @open-panel=${this.#showPanel}></sotto-classify>`
  }

  /** Settings are fetched when they are opened. */
  readonly #settings = async (): Promise<void> => {
    try {
      await import('./settings.ts')
      const dialog = this.renderRoot.querySelector<SettingsDialog>('sotto-settings')
      await dialog?.updateComplete
      dialog?.show()
    } catch {
      this.isPartMissing = true
    }
  }

  readonly #skip = (): void => {
    this.renderRoot.querySelector<HTMLElement>('sotto-composer, sotto-classify, sotto-lock-screen')?.focus()
  }

  readonly #toggleList = (): void => {
    if (this.#twoColumns.matches) settings.set({ list: !settings.state.list })
    else this.listOpen = !this.listOpen
  }

  readonly #togglePanel = (): void => {
    if (this.#threeColumns.matches) settings.set({ panel: !settings.state.panel })
    else this.panelOpen = !this.panelOpen
  }

  readonly #showPanel = (): void => {
    if (this.#threeColumns.matches) settings.set({ panel: true })
    else this.panelOpen = true
  }

  readonly #closeList = (): void => {
    this.listOpen = false
  }

  readonly #closePanel = (): void => {
    this.panelOpen = false
  }

  readonly #picked = (): void => {
    this.listOpen = false
    this.#skip()
  }

  readonly #keys = (event: KeyboardEvent): void => {
    // In a dialog the key closes that.
    if (event.composedPath().some((part) => part instanceof HTMLDialogElement)) return
    // So it does wherever the focus is, as long as something lies over the page.
    if (event.key === 'Escape' && !event.defaultPrevented && chat.state.reply && !isCovered(this.renderRoot))
      chat.stop()
    if (this.task !== 'chat') return
    if (event.key.toLowerCase() === 'o' && event.shiftKey && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      chat.begin()
      this.#picked()
    }
  }
}

/** Whether a dialog or a menu is open in it, or in any component of it. */
function isCovered(root: ParentNode): boolean {
  return [...root.querySelectorAll('*')].some(
    (each) =>
      each.matches('dialog[open], [popover]:popover-open') || (each.shadowRoot && isCovered(each.shadowRoot)),
  )
}

customElements.define('sotto-app', App)
