/** The view of a model that labels texts: one at a time, or a batch. */
import { html, LitElement, nothing } from 'lit'
import type { ModelListing } from '../../owner/api.ts'
import { bytes, count, grouped, plural } from '../format.ts'
import { labelName, modelName } from '../names.ts'
import { classifier } from '../state/classify.ts'
import { engine } from '../state/engine.ts'
import { parties } from '../state/parties.ts'
import { storage } from '../state/storage.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { classifyFrame } from '../styles/classify-frame.ts'
import './classify-many.ts'
import './classify-one.ts'
import { honesty } from './honesty.ts'
import { describe } from './progress.ts'

const tabs = [
  ['one', 'One text'],
  ['many', 'Many texts'],
] as const

export class ClassifyView extends LitElement {
  static override styles = [base, classifyFrame, honesty.styles]

  constructor() {
    super()
    new Watch(this, classifier, engine, parties, storage)
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
          <h2>${model?.protection.notice.hidesTexts === false ? `${model.protection.notice.title}.` : 'A label, and nobody listening.'}</h2>
          <p class="lead">
            ${model?.protection.notice.lead.classify} ${honesty.condition(model)}
            <button @click=${this.#openPanel}>Who sees what</button>
          </p>
          ${honesty.warning()}
          <div class="model">${model ? this.#model(model) : nothing}</div>
          ${notice ? html`<p class="notice">${notice}</p>` : nothing}
          ${storage.state.text ? html`<p class="notice" role="status">${storage.state.text}</p>` : nothing}
          ${model?.reads === 'pictures' ? html`<sotto-classify-one></sotto-classify-one>` : this.#texts(mode)}
        </div>
      </div>
      <footer><div class="state">${this.#ready()}</div></footer>
      <p class="hidden" role="status" aria-live="polite">${said}</p>
    `
  }

  #texts(mode: 'one' | 'many') {
    return html`
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
    `
  }

  #model(model: ModelListing) {
    const labels = model.labels ?? []
    const named = (label: string) => labelName(label, model)
    const few =
      labels.length <= 6
        ? labels.map(named).join(', ')
        : `${labels.slice(0, 4).map(named).join(', ')} and ${labels.length - 4} more`
    return html`
      <p>
        <b>${modelName(model)}</b> · ${plural(labels.length, 'label')}: ${few} · ${count(model.parameters)} parameters,
        ${count(model.privateParameters)} of them private · reads ${model.reads ?? `${grouped(model.context)} tokens`} · ${model.licence}
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
