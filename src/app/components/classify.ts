/** The view of a model that labels texts: one at a time, or a batch. */
import { html, LitElement, nothing } from 'lit'
import type { ModelListing } from '../../owner/api.ts'
import { bytes, count } from '../format.ts'
import { t, theirs } from '../language.ts'
import { labelName, modelName } from '../names.ts'
import { classifier } from '../state/classify.ts'
import { engine } from '../state/engine.ts'
import { parties } from '../state/parties.ts'
import { storage } from '../state/storage.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { classifyFrame } from '../styles/classify-frame.ts'
import '../view-texts.ts'
import './classify-many.ts'
import './classify-one.ts'
import { honesty } from './honesty.ts'
import { describe } from './progress.ts'

const tabs = [
  ['one', 'classify.one'],
  ['many', 'classify.many'],
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
          <h2>${model?.protection.notice.hidesTexts === false ? html`${theirs(model.protection.notice.title)}.` : t('classify.lead')}</h2>
          <p class="lead">
            ${theirs(model?.protection.notice.lead.classify)} ${honesty.condition(model)}
            <button @click=${this.#openPanel}>${t('app.who')}</button>
          </p>
          ${honesty.warning()}
          <div class="model">${model ? this.#model(model) : nothing}</div>
          ${notice ? html`<p class="notice">${theirs(notice)}</p>` : nothing}
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
          <div class="tabs" role="tablist" aria-label=${t('classify.how')} @keydown=${this.#keys}>
            ${tabs.map(
              ([name, label]) => html`<button
                role="tab"
                id="tab-${name}"
                aria-selected=${mode === name}
                aria-controls="panel"
                tabindex=${mode === name ? 0 : -1}
                @click=${() => classifier.set({ mode: name })}
              >
                ${t(label)}
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
        : t('classify.others', { some: labels.slice(0, 4).map(named).join(', '), n: labels.length - 4 })
    return html`
      <p>
        <b>${modelName(model)}</b> ·
        ${model.outputs === 'text' ? t('classify.answers') : html`${t('classify.labels', { n: labels.length })}: ${few}`} ·
        ${t('model.parameters', { count: count(model.parameters), private: count(model.privateParameters) })} ·
        ${t('classify.reads', { what: model.reads ? t('classify.pictures') : t('tokens', { n: model.context }) })} · ${model.licence}
      </p>
      <p dir="auto">${model.description}</p>
      ${
        engine.state.phase === 'offer'
          ? html`<button class="button main" @click=${() => engine.open()}>${t('model.download', { size: bytes(model.publicBytes) })}</button>`
          : nothing
      }
    `
  }

  #ready() {
    const { phase, progress, model } = engine.state
    const [busy, ready] =
      model?.outputs === 'text'
        ? (['ask.busy', 'ask.ready'] as const)
        : (['classify.busy', 'classify.ready'] as const)
    if (phase === 'open') return html`<span>${t(classifier.state.busy ? busy : ready)}</span>`
    if (phase === 'opening')
      return html`<span>${progress ? `${describe(progress)}…` : t('state.connecting')}</span>`
    if (phase === 'starting') return html`<span>${t('state.asking')}</span>`
    return html`<span>${t(phase === 'offer' ? 'state.offer' : 'state.none')}</span>`
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
