/** The view of a model that labels texts: one at a time, or a batch. */
import { css, html, LitElement, nothing } from 'lit'
import type { ModelCard } from '../../owner/api.ts'
import { bytes, count, grouped, plural, way } from '../format.ts'
import { base } from '../look/base.ts'
import { classifier } from '../state/classify.ts'
import { engine } from '../state/engine.ts'
import { Watch } from '../state/store.ts'
import './classify-many.ts'
import './classify-one.ts'
import { describe } from './progress.ts'

const tabs = [
  ['one', 'One text'],
  ['many', 'Many texts'],
] as const

export class ClassifyView extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: grid;
        grid-template-rows: minmax(0, 1fr) auto;
        min-height: 0;
        grid-row: 2 / -1;
      }
      .scroll {
        overflow-y: auto;
        scrollbar-gutter: stable both-edges;
        scrollbar-width: thin;
      }
      .column {
        max-width: 45rem;
        margin: 0 auto;
        padding: clamp(18px, 4vh, 48px) 24px 32px;
      }
      h2 {
        font: 400 italic clamp(1.75rem, 1.3rem + 2vw, 2.5rem) / 1.12 var(--serif);
        letter-spacing: -0.015em;
        text-wrap: balance;
      }
      .lead {
        max-width: 36em;
        margin-top: 12px;
        color: var(--soft);
        font: 1.0625rem/1.55 var(--serif);
        text-wrap: pretty;
      }
      .lead button {
        color: var(--you);
        font: inherit;
        text-decoration: underline;
        text-underline-offset: 2px;
      }
      .model {
        min-height: 4.7em;
        margin-top: 14px;
        color: var(--soft);
        font-size: 0.875rem;
        line-height: 1.55;
      }
      .model b {
        color: var(--ink);
        font-weight: 600;
      }
      .main {
        margin-top: 14px;
      }
      .tabs {
        display: flex;
        gap: 4px;
        margin: 12px 0 16px;
        border-bottom: 1px solid var(--line);
      }
      [role='tab'] {
        min-height: 44px;
        margin-bottom: -1px;
        padding: 0 14px;
        border-bottom: 2px solid transparent;
        color: var(--soft);
      }
      [role='tab']:hover {
        color: var(--ink);
      }
      [role='tab'][aria-selected='true'] {
        border-color: var(--you);
        color: var(--ink);
      }
      .notice {
        margin-top: 14px;
        padding-left: 14px;
        border-left: 2px solid var(--server);
        color: var(--soft);
        font-size: 0.9375rem;
      }
      footer {
        padding: 0 24px max(6px, env(safe-area-inset-bottom));
        border-top: 1px solid var(--line);
      }
      .state {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
        max-width: calc(45rem - 48px);
        height: 36px;
        margin: 0 auto;
        color: var(--soft);
        font-size: 0.8125rem;
        white-space: nowrap;
      }
      .state > * {
        overflow: hidden;
        padding: 4px 0;
        text-overflow: ellipsis;
      }
      .state button:hover {
        color: var(--ink);
      }
      @media (max-width: 560px) {
        .column {
          padding-inline: 18px;
        }
        footer {
          padding-inline: 18px;
        }
      }
    `,
  ]

  constructor() {
    super()
    new Watch(this, classifier, engine)
    // A file that misses its place must not replace the page.
    for (const name of ['dragover', 'drop'] as const)
      this.addEventListener(name, (event) => event.preventDefault())
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('beforeunload', this.#unload)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('beforeunload', this.#unload)
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('[role=tabpanel] > *')?.focus()
  }

  protected override render() {
    const { model, notice } = engine.state
    const { mode, said } = classifier.state
    return html`
      <div class="scroll">
        <div class="column">
          <h2>A label, and nobody listening.</h2>
          <p class="lead">
            Texts are split into random-looking shares before anything leaves this browser. No one but you can read a text or
            its label. What the others do see: how many texts there are, and how long each one is, rounded up.
            <button @click=${this.#openPanel}>Who sees what</button>
          </p>
          <div class="model">${model ? this.#model(model) : nothing}</div>
          ${notice ? html`<p class="notice">${notice}</p>` : nothing}
          <div class="tabs" role="tablist" aria-label="How many texts" @keydown=${this.#keys}>
            ${tabs.map(
              ([name, label]) => html`<button
                role="tab"
                id="tab-${name}"
                aria-selected=${mode === name}
                aria-controls="panel"
                tabindex=${mode === name ? 0 : -1}
                @click=${() => classifier.set({ mode: name })}
              >
                ${label}
              </button>`,
            )}
          </div>
          <div id="panel" role="tabpanel" aria-labelledby="tab-${mode}">
            <sotto-classify-one ?hidden=${mode !== 'one'}></sotto-classify-one>
            <sotto-classify-many ?hidden=${mode !== 'many'}></sotto-classify-many>
          </div>
        </div>
      </div>
      <footer><div class="state">${this.#ready()}${this.#ways()}</div></footer>
      <p class="hidden" role="status" aria-live="polite">${said}</p>
    `
  }

  #model(model: ModelCard) {
    const labels = model.labels ?? []
    const few =
      labels.length <= 6
        ? labels.join(', ')
        : `${labels.slice(0, 4).join(', ')} and ${labels.length - 4} more`
    return html`
      <p>
        <b>${model.title}</b> · ${plural(labels.length, 'label')}: ${few} · ${count(model.parameters)} parameters,
        ${count(model.privateParameters)} of them private · reads ${grouped(model.context)} tokens · ${model.licence}
      </p>
      <p>${model.description}</p>
      ${
        engine.state.phase === 'offer'
          ? html`<button class="button main" @click=${() => engine.open()}>Download ${bytes(model.publicBytes)} and connect</button>`
          : nothing
      }
    `
  }

  #ready() {
    const { phase, progress } = engine.state
    if (phase === 'open')
      return html`<span>${classifier.state.busy ? 'Classifying' : 'Ready to classify'}</span>`
    if (phase === 'opening') return html`<span>${progress ? describe(progress) : 'Connecting'}…</span>`
    if (phase === 'starting') return html`<span>Asking the server for its models…</span>`
    return html`<span>${phase === 'offer' ? 'Not connected yet' : 'Not connected'}</span>`
  }

  #ways() {
    const { session } = engine.state
    if (!session) return nothing
    return html`<button title="How this browser computes and connects, and why" @click=${this.#openPanel}>
      ${way(session.backend.name)} · ${way(session.link.kind)}
    </button>`
  }

  /** As in every list of tabs: arrows choose, and the focus goes along. */
  readonly #keys = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
    const mode = classifier.state.mode === 'one' ? 'many' : 'one'
    classifier.set({ mode })
    this.renderRoot.querySelector<HTMLElement>(`#tab-${mode}`)?.focus()
  }

  /** A reload would lose what has been computed so far. */
  readonly #unload = (event: BeforeUnloadEvent): void => {
    if (classifier.state.busy === 'many') event.preventDefault()
  }

  readonly #openPanel = (): void => {
    this.dispatchEvent(new Event('open-panel', { bubbles: true, composed: true }))
  }
}

customElements.define('sotto-classify', ClassifyView)
