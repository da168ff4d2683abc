/** A file before it is classified: its first rows, and which columns hold the texts. */
import { css, html, LitElement, nothing, type PropertyValues } from 'lit'
import { title } from '../format.ts'
import { t } from '../language.ts'
import { classifier } from '../state/classify.ts'
import { type Batch, remaining } from '../state/classify-batch.ts'
import { type Columns, guessColumns, type Source, tableOf } from '../state/classify-table.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { classifyLook } from '../styles/classify.ts'

const previewed = 3

export class ClassifyColumns extends LitElement {
  static override properties = {
    source: { attribute: false },
    pairs: { attribute: false },
    isNamed: { state: true },
    columns: { state: true },
  }
  declare source: Source
  declare pairs: boolean
  /** Whether the first record names the columns: guessed, until the person says otherwise. */
  declare isNamed: boolean
  declare columns: Columns

  static override styles = [
    base,
    classifyLook,
    css`
      h3 {
        font: italic 1.1875rem/1.4 var(--serif);
        overflow-wrap: anywhere;
      }
      .choices {
        display: flex;
        flex-wrap: wrap;
        gap: 10px 20px;
        margin-top: 10px;
      }
      .choices label {
        display: flex;
        align-items: center;
        gap: 8px;
        min-width: 0;
        min-height: 40px;
        font-size: 0.9375rem;
      }
      .choices label span {
        flex: none;
      }
      select {
        min-width: 0;
      }
      .note {
        margin-top: 10px;
        color: var(--soft);
        overflow-wrap: anywhere;
      }
      ol {
        margin-top: 12px;
        border-bottom: 1px solid var(--line);
      }
      ol li {
        padding: 8px 0;
        border-top: 1px solid var(--line);
        font: 1.0625rem/1.5 var(--serif);
        overflow-wrap: anywhere;
      }
      .second {
        display: block;
        color: var(--soft);
      }
    `,
  ]

  constructor() {
    super()
    new Watch(this, classifier)
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('source')) this.isNamed = this.source.isNamed
    if (changed.has('source') || changed.has('pairs') || changed.has('isNamed'))
      this.columns = guessColumns(this.#table, this.pairs)
  }

  get #table() {
    return tableOf({ ...this.source, isNamed: this.isNamed })
  }

  get #batch(): Batch {
    return { name: this.source.name, table: this.#table, columns: this.columns, results: [] }
  }

  protected override render() {
    const batch = this.#batch
    const { rows } = batch.table
    const { length } = remaining(batch).inputs
    const empty = rows.length - length
    return html`
      <h3 dir="auto">${t('columns.rows', { name: this.source.name, n: rows.length })}</h3>
      <div class="choices">
        ${
          this.source.isSure
            ? nothing
            : html`<label><input type="checkbox" .checked=${this.isNamed} @change=${this.#named} /><span>${t('columns.named')}</span></label>`
        }
        ${this.#choice('text', t(this.pairs ? 'columns.first' : 'columns.text'))} ${this.pairs ? this.#choice('pair', t('columns.second')) : nothing}
      </div>
      ${this.source.notes.map((note) => html`<p class="note">${note}</p>`)}
      <ol aria-label=${t('columns.sample')}>
        ${rows.slice(0, previewed).map((row) => this.#row(row))}
      </ol>
      <div class="actions">
        <button class="button main" ?disabled=${length === 0 || classifier.state.busy !== undefined} @click=${this.#start}>
          ${t('columns.classify', { n: length })}
        </button>
        <button class="button" @click=${() => this.dispatchEvent(new Event('another'))}>${t('columns.else')}</button>
        <small>${empty > 0 ? t('columns.empty', { n: empty }) : nothing}</small>
      </div>
    `
  }

  #choice(which: 'text' | 'pair', label: string) {
    const choose = (event: Event) => {
      this.columns = { ...this.columns, [which]: Number((event.target as HTMLSelectElement).value) }
    }
    return html`<label>
      <span>${label}:</span>
      <select @change=${choose}>
        ${this.#table.columns.map(
          (name, at) =>
            html`<option value=${at} .selected=${at === this.columns[which]}>${title(name, 40)}</option>`,
        )}
      </select>
    </label>`
  }

  #row(row: string[]) {
    const { text, pair } = this.columns
    return html`<li dir="auto">
      ${title(row[text] || t('columns.none'), 160)}
      ${pair === undefined ? nothing : html`<span class="second" dir="auto">${title(row[pair] || t('columns.none'), 160)}</span>`}
    </li>`
  }

  readonly #named = (event: Event): void => {
    this.isNamed = (event.target as HTMLInputElement).checked
  }

  readonly #start = (): void => {
    this.dispatchEvent(new CustomEvent('batch', { detail: this.#batch }))
  }
}

customElements.define('sotto-classify-columns', ClassifyColumns)
