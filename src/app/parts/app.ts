/** The frame of the page: the list of conversations, the conversation, and who sees what. */
import { css, html } from 'lit'
import { LaterElement } from '../later.ts'
import { base } from '../look/base.ts'
import { chat } from '../state/chat.ts'
import { settings } from '../state/settings.ts'
import { Watch } from '../state/store.ts'
import './composer.ts'
import type { Composer } from './composer.ts'
import './drawer.ts'
import './header.ts'
import './list.ts'
import './panel.ts'
import './settings.ts'
import type { SettingsDialog } from './settings.ts'
import './thread.ts'

export class App extends LaterElement {
  static override properties = { listOpen: { state: true }, panelOpen: { state: true } }
  /** Whether the sheets of a narrow screen are open; wide screens remember theirs in the settings. */
  declare listOpen: boolean
  declare panelOpen: boolean

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
        position: relative;
        display: grid;
        grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr);
        min-width: 0;
        height: 100dvh;
        background: var(--sheet);
      }
      .skip {
        position: absolute;
        z-index: 2;
        top: 8px;
        left: 8px;
      }
      .skip:not(:focus) {
        translate: 0 -80px;
      }
    `,
  ]

  readonly #twoColumns = matchMedia('(min-width: 800px)')
  readonly #threeColumns = matchMedia('(min-width: 1180px)')

  constructor() {
    super()
    this.listOpen = false
    this.panelOpen = false
    new Watch(this, chat, settings)
    for (const query of [this.#twoColumns, this.#threeColumns])
      query.addEventListener('change', () => this.requestUpdate())
    document.addEventListener('keydown', this.#keys)
  }

  protected override render() {
    const wideList = this.#twoColumns.matches
    const widePanel = this.#threeColumns.matches
    const list = wideList ? settings.state.list : this.listOpen
    const panel = widePanel ? settings.state.panel : this.panelOpen
    return html`
      <sotto-drawer label="Conversations" ?inline=${wideList} ?open=${list} @closed=${this.#closeList}>
        <sotto-list @picked=${this.#picked} @close-list=${this.#toggleList}></sotto-list>
      </sotto-drawer>
      <main>
        <button class="skip button" @click=${this.#skip}>Skip to the message box</button>
        <sotto-header
          ?list=${list}
          ?panel=${panel}
          @toggle-list=${this.#toggleList}
          @toggle-panel=${this.#togglePanel}
          @open-settings=${() => this.renderRoot.querySelector<SettingsDialog>('sotto-settings')?.show()}
        ></sotto-header>
        <sotto-thread @open-panel=${this.#showPanel}></sotto-thread>
        <sotto-composer @open-panel=${this.#showPanel}></sotto-composer>
      </main>
      <sotto-drawer side="right" label="Who sees what" ?inline=${widePanel} ?open=${panel} @closed=${this.#closePanel}>
        <sotto-panel @close-panel=${this.#togglePanel}></sotto-panel>
      </sotto-drawer>
      <sotto-settings></sotto-settings>
    `
  }

  readonly #skip = (): void => {
    this.renderRoot.querySelector<Composer>('sotto-composer')?.focus()
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
    this.renderRoot.querySelector<Composer>('sotto-composer')?.focus()
  }

  readonly #keys = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && !event.defaultPrevented && chat.state.draft !== undefined) chat.stop()
    if (event.key.toLowerCase() === 'o' && event.shiftKey && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      chat.begin()
      this.#picked()
    }
  }
}

customElements.define('sotto-app', App)
