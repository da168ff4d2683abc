/** Where a batch comes from: pasted lines, or a file that is chosen or dropped. */
import { css, html, LitElement, nothing } from 'lit'
import { isArchive } from '../../texts/archive.ts'
import { bytes } from '../format.ts'
import { t } from '../language.ts'
import { classifier } from '../state/classify.ts'
import type { Batch } from '../state/classify-batch.ts'
import { fromFile, fromLines, fromSheet, type Source } from '../state/classify-table.ts'
import { engine } from '../state/engine.ts'
import { readSheet } from '../state/sheet.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { classifyLook } from '../styles/classify.ts'
import './classify-columns.ts'

/** Sends `batch`, with the batch as its detail. */
export class ClassifySource extends LitElement {
  static override properties = {
    pairs: { attribute: false },
    source: { state: true },
    lines: { state: true },
    trouble: { state: true },
    isOver: { state: true },
  }
  /** Whether the model takes two texts. */
  declare pairs: boolean
  /** A file that has been read, and whose columns are to be chosen. */
  declare source: Source | undefined
  /** Pasted texts so far. */
  declare lines: number
  /** Why a file could not be taken. */
  declare trouble: string
  /** Whether a file is being held over this component. */
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
    `,
  ]

  #chosenLast?: File

  constructor() {
    super()
    this.pairs = false
    this.lines = 0
    this.trouble = ''
    this.isOver = false
    new Watch(this, classifier)
  }

  override focus(): void {
    this.renderRoot.querySelector('textarea')?.focus()
  }

  protected override render() {
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
              .pairs=${this.pairs}
              @batch=${this.#columns}
              @another=${this.#another}
            ></sotto-classify-columns>`
          : this.#paste()
      }
      ${this.trouble ? html`<p class="trouble" role="alert" dir="auto">${this.trouble}</p>` : nothing}
    </div>`
  }

  #paste() {
    const hint = t(this.pairs ? 'source.hint.pairs' : 'source.hint')
    const busy = classifier.state.busy !== undefined
    return html`<form @submit=${this.#submit}>
      <label class="name" for="lines">${t(this.pairs ? 'source.label.pairs' : 'source.label')}</label>
      <textarea id="lines" dir="auto" rows="7" autocomplete="off" placeholder=${hint} @input=${this.#count}></textarea>
      <div class="actions">
        <button class="button main" ?disabled=${this.lines === 0 || busy}>
          ${this.lines > 0 ? t('columns.classify', { n: this.lines }) : t('classify')}
        </button>
        <button class="button" type="button" @click=${this.#pick}>${t('source.choose')}</button>
        <small>${t('source.kinds')}</small>
      </div>
      <input class="hidden" type="file" tabindex="-1" aria-label=${t('source.file')} accept=".csv,.tsv,.txt,.jsonl,.ndjson,.json,.xlsx" @change=${this.#chosen} />
    </form>`
  }

  /** Reads something that a person gave, and says why where it cannot be read. */
  async #take(read: () => Source | Promise<Source>): Promise<Source | undefined> {
    this.trouble = ''
    try {
      return await read()
    } catch (reason) {
      this.trouble = reason instanceof Error ? reason.message : String(reason)
      return undefined
    }
  }

  async #file(file: File | undefined): Promise<void> {
    if (!file) return
    this.#chosenLast = file
    let content: ArrayBuffer
    try {
      content = await file.arrayBuffer()
    } catch {
      this.trouble = t('source.unreadable', { name: file.name, size: bytes(file.size) })
      return
    }
    const source = await this.#take(() => sourceOf(file.name, content))
    // Reading takes a while, and somebody may have chosen another one meanwhile.
    if (this.#chosenLast === file) this.source = source
  }

  #send(batch: Batch): void {
    this.source = undefined
    this.dispatchEvent(new CustomEvent('batch', { detail: batch }))
  }

  readonly #columns = (event: Event): void => this.#send((event as CustomEvent<Batch>).detail)

  readonly #count = (event: Event): void => {
    this.lines = (event.target as HTMLTextAreaElement).value.split('\n').filter((line) => line.trim()).length
    this.trouble = ''
    engine.prepare()
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const text = this.renderRoot.querySelector('textarea')?.value ?? ''
    const source = await this.#take(() => fromLines(text, this.pairs))
    if (!source || classifier.state.busy) return
    const columns = this.pairs ? { text: 0, pair: 1 } : { text: 0 }
    const table = { columns: Object.keys(columns), rows: source.records }
    this.#send({ name: source.name, table, columns, results: [] })
  }

  readonly #another = (): void => {
    this.source = undefined
    this.lines = 0
    void this.updateComplete.then(() => this.focus())
  }

  readonly #pick = (): void => this.renderRoot.querySelector<HTMLInputElement>('input[type=file]')?.click()

  readonly #chosen = (event: Event): void => {
    const input = event.target as HTMLInputElement
    void this.#file(input.files?.[0])
    // A file that was mended may be chosen again under its name.
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

async function sourceOf(name: string, content: ArrayBuffer): Promise<Source> {
  const bytes = new Uint8Array(content)
  return isArchive(bytes) ? fromSheet(name, await readSheet({ name, bytes })) : fromFile(name, content)
}

customElements.define('sotto-classify-source', ClassifySource)
