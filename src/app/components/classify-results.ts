/** The rows of a batch that have a label, in pages. */
import { css, html, LitElement, nothing } from 'lit'
import { isUnanswered } from '../../owner/api.ts'
import { grouped } from '../format.ts'
import { t } from '../language.ts'
import { labelName } from '../names.ts'
import { classifier } from '../state/classify.ts'
import { answerOf, type Batch, labelCounts } from '../state/classify-batch.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { classifyLook } from '../styles/classify.ts'
import { inOneLine } from '../trouble.ts'
import { figure } from './classify-bars.ts'

const perPage = 20

export class ClassifyResults extends LitElement {
  static override properties = { page: { state: true }, label: { state: true } }
  declare page: number
  /** Only rows with this label; all, if empty. */
  declare label: string

  static override styles = [
    base,
    classifyLook,
    css`
      .scroll {
        overflow-x: auto;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        font-size: 0.9375rem;
        line-height: 1.4;
      }
      caption {
        padding: 0 0 8px;
        color: var(--soft);
        font: italic 1rem/1.5 var(--serif);
        text-align: start;
      }
      th,
      td {
        padding: 8px 12px 8px 0;
        border-top: 1px solid var(--line);
        text-align: start;
        vertical-align: top;
      }
      thead th {
        color: var(--soft);
        font-size: 0.8125rem;
        font-weight: 400;
      }
      th[scope='row'],
      .share {
        color: var(--soft);
        font-weight: 400;
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .share {
        padding-inline-end: 0;
        text-align: end;
      }
      .label {
        overflow-wrap: break-word;
        font-weight: 600;
      }
      .said {
        display: -webkit-box;
        overflow: hidden;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 3;
        overflow-wrap: anywhere;
      }
      .none {
        color: var(--soft);
        font-style: italic;
        font-weight: 400;
      }
      nav {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        margin-top: 12px;
        color: var(--soft);
        font-size: 0.875rem;
        font-variant-numeric: tabular-nums;
      }
      .filter {
        display: flex;
        align-items: center;
        flex-wrap: wrap;
        gap: 10px;
        margin-bottom: 10px;
        color: var(--soft);
        font-size: 0.9375rem;
      }
    `,
  ]

  constructor() {
    super()
    this.page = 0
    this.label = ''
    new Watch(this, classifier)
  }

  protected override render() {
    const { batch } = classifier.state
    if (!batch || batch.results.length === 0) return nothing
    const counts = labelCounts(batch)
    const label = counts.some(([name]) => name === this.label) ? this.label : ''
    const at = label ? withLabel(batch, label) : undefined
    const total = at?.length ?? batch.results.length
    const pages = Math.max(1, Math.ceil(total / perPage))
    const page = Math.min(this.page, pages - 1)
    const rows = Array.from({ length: Math.min(perPage, total - page * perPage) }, (_, i) => {
      const nth = page * perPage + i
      return at ? at[nth] : nth
    })
    return html`
      ${this.#filter(batch, counts, label)}
      <div class="scroll" tabindex="0" role="group" aria-label=${t('results.label')}>
        <table>
          <caption>
            ${t(label ? 'results.labelled' : 'results.rows', {
              label: label && labelName(label, batch.model),
              from: page * perPage + 1,
              to: page * perPage + rows.length,
              n: total,
            })}
          </caption>
          <thead>
            <tr><th scope="col">${t('results.row')}</th><th scope="col">${t('results.text')}</th><th scope="col">${t('results.of')}</th><th scope="col" class="share">${t('results.share')}</th></tr>
          </thead>
          <tbody>
            ${rows.map((row) => this.#row(batch, row))}
          </tbody>
        </table>
      </div>
      ${pages > 1 ? this.#pager(page, pages) : nothing}
    `
  }

  #filter(batch: Batch, counts: [string, number][], label: string) {
    return html`<div class="filter">
      <label for="filter">${t('results.show')}</label>
      <select id="filter" @change=${this.#choose}>
        <option value="" .selected=${label === ''}>${t('results.all', { n: batch.results.length })}</option>
        ${counts.map(
          ([name, count]) =>
            html`<option value=${name} .selected=${name === label}>${labelName(name, batch.model)} (${grouped(count)})</option>`,
        )}
      </select>
    </div>`
  }

  #row({ table, columns, results }: Batch, row: number) {
    const outcome = results[row]
    const result = answerOf(outcome)
    const cells = table.rows[row]
    return html`<tr>
      <th scope="row">${grouped(row + 1)}</th>
      <td>
        <span class="said" dir="auto">${cells[columns.text]}</span>
        ${columns.pair === undefined ? nothing : html`<span class="said" dir="auto">${cells[columns.pair]}</span>`}
        ${outcome && isUnanswered(outcome) ? html`<span class="none">${inOneLine(outcome.error)}</span>` : nothing}
        ${result?.isCut ? html`<span class="none">${t('results.beginning')}</span>` : nothing}
      </td>
      <td class="label" dir="auto">${result ? labelName(result.label, classifier.state.batch?.model) : html`<span class="none">${t(outcome ? 'results.unanswered' : 'results.none')}</span>`}</td>
      <td class="share">${result ? figure(result) : ''}</td>
    </tr>`
  }

  #pager(page: number, pages: number) {
    const go = (to: number) => () => {
      this.page = to
    }
    return html`<nav aria-label=${t('results.pages')}>
      <button class="button" ?disabled=${page === 0} @click=${go(page - 1)}>${t('results.previous')}</button>
      <span>${t('results.page', { page: page + 1, n: pages })}</span>
      <button class="button" ?disabled=${page === pages - 1} @click=${go(page + 1)}>${t('results.next')}</button>
      ${page < pages - 2 ? html`<button class="button" @click=${go(pages - 1)}>${t('results.last')}</button>` : nothing}
    </nav>`
  }

  readonly #choose = (event: Event): void => {
    this.label = (event.target as HTMLSelectElement).value
    this.page = 0
  }
}

const withLabel = ({ results }: Batch, label: string): number[] =>
  results.flatMap((result, row) => (answerOf(result)?.label === label ? [row] : []))

customElements.define('sotto-classify-results', ClassifyResults)
