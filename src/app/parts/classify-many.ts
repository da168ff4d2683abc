/** A batch of texts: where they come from, how far they are, and what came out. */
import { css, html, LitElement, nothing } from 'lit'
import { bytes, grouped, plural } from '../format.ts'
import { base } from '../look/base.ts'
import { classifyLook } from '../look/classify.ts'
import * as icons from '../look/icons.ts'
import { classifier } from '../state/classify.ts'
import { type Batch, isComplete, resultsCsv, timeLeft } from '../state/classify-batch.ts'
import { fromFile, fromLines, type Source } from '../state/classify-table.ts'
import { engine } from '../state/engine.ts'
import { saveFile } from '../state/save.ts'
import { Watch } from '../state/store.ts'
import './classify-columns.ts'
import './classify-results.ts'
import { problem } from './problem.ts'
import { progress } from './progress.ts'

export class ClassifyMany extends LitElement {
  static override properties = {
    source: { state: true },
    lines: { state: true },
    trouble: { state: true },
    isOver: { state: true },
  }
  /** A file that has been read, and whose columns are to be chosen. */
  declare source: Source | undefined
  /** Pasted texts so far. */
  declare lines: number
  /** Why a file could not be taken. */
  declare trouble: string
  /** Whether a file is being held over this part. */
  declare isOver: boolean

  static override styles = [
    base,
    classifyLook,
    css`
      .drop {
        border-radius: var(--radius);
      }
      .drop.over {
        outline: 2px dashed var(--you);
        outline-offset: 6px;
      }
      .trouble {
        margin-top: 14px;
        padding: 12px 16px;
        border-radius: var(--radius);
        background: var(--danger-sheet);
        overflow-wrap: anywhere;
      }
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
    this.lines = 0
    this.trouble = ''
    this.isOver = false
    new Watch(this, classifier, engine)
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('textarea, .head button')?.focus()
  }

  protected override render() {
    const { batch } = classifier.state
    if (batch) return this.#batch(batch)
    const pairs = engine.state.model?.pairs === true
    return html`<div
      class=${this.isOver ? 'drop over' : 'drop'}
      @dragover=${this.#over}
      @dragleave=${this.#leave}
      @drop=${this.#drop}
    >
      ${
        this.source
          ? html`<sotto-classify-columns
              .source=${this.source}
              .pairs=${pairs}
              @batch=${this.#start}
              @another=${this.#another}
            ></sotto-classify-columns>`
          : this.#paste(pairs)
      }
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : this.#error()}
    </div>`
  }

  #paste(pairs: boolean) {
    const hint = pairs ? 'First text, a tab, second text' : 'One text a line'
    const busy = classifier.state.busy !== undefined
    return html`<form @submit=${this.#submit}>
      <label class="name" for="lines">Texts, one a line${pairs ? ', with a tab between the two of a pair' : nothing}</label>
      <textarea id="lines" rows="7" autocomplete="off" placeholder=${hint} @input=${this.#count}></textarea>
      <div class="actions">
        <button class="button main" ?disabled=${this.lines === 0 || busy}>
          Classify${this.lines > 0 ? html` ${plural(this.lines, 'text')}` : nothing}
        </button>
        <button class="button" type="button" @click=${this.#pick}>Choose a file…</button>
        <small>CSV, TSV or JSON lines; or drop one here.</small>
      </div>
      <input class="hidden" type="file" tabindex="-1" aria-label="File with texts" accept=".csv,.tsv,.txt,.jsonl,.ndjson,.json" @change=${this.#chosen} />
    </form>`
  }

  #batch(batch: Batch) {
    const { busy, stopping } = classifier.state
    const { results, table, name } = batch
    const total = table.rows.length
    const state = this.#state(batch, busy === 'many', stopping)
    return html`
      <div class="head">
        <h3 id="name">${name === 'pasted' ? 'Pasted texts' : name}</h3>
        <progress aria-labelledby="name" .value=${results.length} max=${total}></progress>
        <p id="progress">${grouped(results.length)} of ${grouped(total)} rows${state ? html` · ${state}` : nothing}</p>
        <div class="actions">${busy === 'many' ? this.#running(stopping) : this.#resting(batch)}</div>
      </div>
      ${busy === 'many' ? nothing : this.#error()}
      <sotto-classify-results></sotto-classify-results>
    `
  }

  #state(batch: Batch, isRunning: boolean, stopping: boolean): string {
    if (stopping) return 'stopping…'
    if (!isRunning) return isComplete(batch) ? 'done' : batch.results.length > 0 ? 'cancelled' : ''
    if (engine.state.phase !== 'open') return 'connecting…'
    return timeLeft(batch, performance.now())
  }

  #running(stopping: boolean) {
    return html`<button class="button" ?disabled=${stopping} @click=${() => classifier.stop()}>${icons.stop} Cancel</button>
      <small>Finished rows stay.</small>`
  }

  #resting(batch: Batch) {
    const { length } = batch.results
    const goesOn = !isComplete(batch)
    return html`
      ${goesOn ? html`<button class="button main" @click=${() => classifier.many()}>${length > 0 ? 'Go on' : 'Classify'}</button>` : nothing}
      ${length > 0 ? html`<button class="button ${goesOn ? '' : 'main'}" @click=${() => this.#download(batch)}>Download CSV</button>` : nothing}
      <button class="button" @click=${this.#another}>New batch</button>
    `
  }

  #error() {
    const error = classifier.state.error ?? engine.state.error
    if (!error) return nothing
    const again = () => (classifier.state.batch ? classifier.many() : engine.ready().catch(() => undefined))
    return problem.render(error, again)
  }

  #download(batch: Batch): void {
    const { labels, name } = engine.state.model ?? {}
    const stem = batch.name.replace(/\.\w+$/, '')
    saveFile(`${stem}-${name}.csv`, 'text/csv;charset=utf-8', resultsCsv(batch, labels ?? []))
  }

  /** Reads something that a person gave, and says why where it cannot be read. */
  #take(read: () => Source): Source | undefined {
    this.trouble = ''
    try {
      return read()
    } catch (reason) {
      this.trouble = reason instanceof Error ? reason.message : String(reason)
      return undefined
    }
  }

  async #file(file: File | undefined): Promise<void> {
    if (!file) return
    let content: ArrayBuffer
    try {
      content = await file.arrayBuffer()
    } catch {
      this.trouble = `${file.name} (${bytes(file.size)}) could not be read. Is it still there?`
      return
    }
    this.source = this.#take(() => fromFile(file.name, content))
  }

  readonly #count = (event: Event): void => {
    this.lines = (event.target as HTMLTextAreaElement).value.split('\n').filter((line) => line.trim()).length
    this.trouble = ''
    engine.prepare()
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    const pairs = engine.state.model?.pairs === true
    const text = this.renderRoot.querySelector('textarea')?.value ?? ''
    const source = this.#take(() => fromLines(text, pairs))
    if (!source || classifier.state.busy) return
    const columns = pairs ? ['text', 'pair'] : ['text']
    this.#begin({
      name: source.name,
      table: { columns, rows: source.records },
      columns: pairs ? { text: 0, pair: 1 } : { text: 0 },
      results: [],
    })
  }

  readonly #start = (event: Event): void => this.#begin((event as CustomEvent<Batch>).detail)

  #begin(batch: Batch): void {
    classifier.load(batch)
    this.source = undefined
    void classifier.many()
    // What had the focus is gone.
    void this.updateComplete.then(() => this.focus())
  }

  readonly #another = (): void => {
    this.source = undefined
    this.trouble = ''
    this.lines = 0
    classifier.load(undefined)
    void this.updateComplete.then(() => this.focus())
  }

  readonly #pick = (): void => this.renderRoot.querySelector<HTMLInputElement>('input[type=file]')?.click()

  readonly #chosen = (event: Event): void => {
    const input = event.target as HTMLInputElement
    void this.#file(input.files?.[0])
    // The same file, mended, may be chosen again.
    input.value = ''
  }

  readonly #over = (event: DragEvent): void => {
    event.preventDefault()
    this.isOver = true
  }

  readonly #leave = (): void => {
    this.isOver = false
  }

  readonly #drop = (event: DragEvent): void => {
    event.preventDefault()
    this.isOver = false
    void this.#file(event.dataTransfer?.files[0])
  }
}

customElements.define('sotto-classify-many', ClassifyMany)
