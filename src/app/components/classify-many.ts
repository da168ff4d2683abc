/** A batch of texts: how far it is, and what came out. */
import { css, html, LitElement, nothing } from 'lit'
import { t } from '../language.ts'
import { classifier } from '../state/classify.ts'
import { type Batch, isComplete, isFor, timeLeft, unansweredCount } from '../state/classify-batch.ts'
import { resultsCsv } from '../state/classify-csv.ts'
import { engine } from '../state/engine.ts'
import { saveFile } from '../state/save.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { classifyLook } from '../styles/classify.ts'
import * as icons from '../styles/icons.ts'
import './classify-results.ts'
import './classify-source.ts'
import { problem } from './problem.ts'
import { progress } from './progress.ts'

export class ClassifyMany extends LitElement {
  static override styles = [
    base,
    classifyLook,
    css`
      .head {
        min-height: 7.4em;
      }
      .head h3 {
        font: italic 1.1875rem/1.4 var(--serif);
        overflow-wrap: anywhere;
      }
      .head p {
        margin: 6px 0 8px;
        color: var(--soft);
        font-variant-numeric: tabular-nums;
      }
      progress {
        display: block;
        margin-top: 8px;
      }
      .problem {
        margin: 14px 0;
      }
      sotto-classify-results {
        margin-top: 22px;
      }
    `,
    problem.styles,
    progress.styles,
  ]

  constructor() {
    super()
    new Watch(this, classifier, engine)
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('sotto-classify-source, .head button')?.focus()
  }

  protected override render() {
    const { batch } = classifier.state
    if (batch) return this.#batch(batch)
    const pairs = engine.state.model?.pairs === true
    return html`<sotto-classify-source .pairs=${pairs} @batch=${this.#start}></sotto-classify-source>${this.#error()}`
  }

  #batch(batch: Batch) {
    const { busy, stopping } = classifier.state
    const { results, table, name } = batch
    const total = table.rows.length
    const lost = unansweredCount(batch)
    const state = this.#state(batch, busy === 'many', stopping)
    return html`
      <div class="head">
        <h3 id="name" dir="auto">${name === 'pasted' ? t('many.pasted') : name}</h3>
        <progress aria-labelledby="name" .value=${results.length} max=${total}></progress>
        <p id="progress">${t('many.done', { done: results.length, n: total })}${lost > 0 ? html`, ${t('many.lost', { n: lost })}` : nothing}${state ? html` · ${state}` : nothing}</p>
        <div class="actions">${busy === 'many' ? this.#running(stopping) : this.#resting(batch)}</div>
      </div>
      ${busy === 'many' ? nothing : this.#error()}
      <sotto-classify-results></sotto-classify-results>
    `
  }

  #state(batch: Batch, isRunning: boolean, stopping: boolean): string {
    if (stopping) return t('many.stopping')
    if (!isRunning) return this.#rest(batch)
    if (engine.state.phase !== 'open') return t('many.connecting')
    return timeLeft(batch, performance.now())
  }

  #rest({ results, model, ...batch }: Batch): string {
    if (results.length === 0) return ''
    const isDone = isComplete({ results, ...batch })
    const state = t(isDone ? 'many.complete' : classifier.state.error ? 'many.interrupted' : 'many.cancelled')
    const isOther = model && model.hash !== engine.state.model?.hash
    return isOther ? t('many.by', { state, model: model.title }) : state
  }

  #running(stopping: boolean) {
    return html`<button class="button" ?disabled=${stopping} @click=${() => classifier.stop()}>${icons.stop} ${t('cancel')}</button>
      <small>${t('many.stay')}</small>`
  }

  #resting(batch: Batch) {
    const { model } = engine.state
    const { length } = batch.results
    const isOurs = length === 0 || batch.model?.hash === model?.hash
    // After an error, the way on is below it.
    const isHalted = (classifier.state.error ?? engine.state.error) !== undefined
    const goesOn = !isHalted && isFor(batch, model) && !(isOurs && isComplete(batch))
    const what = !isOurs ? t('many.with', { model: model?.title ?? '' }) : t(length > 0 ? 'goOn' : 'classify')
    return html`
      ${goesOn ? html`<button class="button ${isOurs ? 'main' : ''}" @click=${() => classifier.many()}>${what}</button>` : nothing}
      ${length > 0 ? html`<button class="button ${goesOn && isOurs ? '' : 'main'}" @click=${() => this.#download(batch)}>${t('many.csv')}</button>` : nothing}
      <button class="button" @click=${this.#another}>${t('many.new')}</button>
    `
  }

  #error() {
    const error = classifier.state.error ?? engine.state.error
    if (!error) return nothing
    const again = () => (classifier.state.batch ? classifier.many() : engine.ready().catch(() => undefined))
    return problem.render(error, again, engine.state.model?.protection.notice.afterFailure)
  }

  #download(batch: Batch): void {
    const stem = batch.name.replace(/\.\w+$/, '')
    saveFile(`${stem}-${batch.model?.name}.csv`, 'text/csv;charset=utf-8', resultsCsv(batch))
  }

  readonly #start = (event: Event): void => {
    classifier.load((event as CustomEvent<Batch>).detail)
    void classifier.many()
    this.#refocus()
  }

  readonly #another = (): void => {
    classifier.load(undefined)
    this.#refocus()
  }

  /** What had the focus is gone. */
  #refocus(): void {
    void this.updateComplete.then(() => this.focus())
  }
}

customElements.define('sotto-classify-many', ClassifyMany)
