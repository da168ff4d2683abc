/** A batch of texts and what has become of them so far. */
import {
  type Answer,
  type Classification,
  type ClassifyInput,
  isUnanswered,
  type ModelListing,
} from '../../owner/api.ts'
import { t } from '../language.ts'
import type { Columns, Table } from './classify-table.ts'

export interface Batch {
  name: string
  table: Table
  columns: Columns
  /** Whose labels the results are. */
  model?: ModelListing
  /** The first rows' results, in order; `null` for a row without a text. */
  results: readonly (Answer | null)[]
  /** When this run began, and how many rows had a result by then. */
  since?: { ms: number; rows: number }
}

const inputOf = (row: string[], { text, pair }: Columns): ClassifyInput | undefined => {
  const input = pair === undefined ? { text: row[text] } : { text: row[text], pair: row[pair] }
  return Object.values(input).some((part) => part.trim() === '') ? undefined : input
}

/** What is still to be classified, and the row of each. */
export function remaining({ table, columns, results }: Batch): { inputs: ClassifyInput[]; rows: number[] } {
  const inputs: ClassifyInput[] = []
  const rows: number[] = []
  for (let row = results.length; row < table.rows.length; row++) {
    const input = inputOf(table.rows[row], columns)
    if (!input) continue
    inputs.push(input)
    rows.push(row)
  }
  return { inputs, rows }
}

/** The batch with one more result; rows without a text before it count as done. */
export function withResult(batch: Batch, row: number, result: Answer): Batch {
  if (row < batch.results.length) return batch
  const skipped = Array<null>(row - batch.results.length).fill(null)
  return { ...batch, results: [...batch.results, ...skipped, result] }
}

/** Nothing is left to send: what remains are rows without a text. */
export const finished = (batch: Batch): Batch => ({
  ...batch,
  results: [...batch.results, ...Array<null>(batch.table.rows.length - batch.results.length).fill(null)],
})

/** Whether a model takes one text where the batch has one, or two where it has two. */
export const isFor = ({ columns }: Batch, model: ModelListing | undefined): boolean =>
  model?.task === 'classify' && (columns.pair !== undefined) === (model.pairs === true)

export const isComplete = ({ table, results }: Batch): boolean => results.length === table.rows.length

/** "about 3 min left", from the pace of this run; nothing before two rows of it. */
export function timeLeft({ table, results, since }: Batch, now: number): string {
  const done = results.length - (since?.rows ?? 0)
  if (!since || done < 2) return ''
  const seconds = ((now - since.ms) / 1000 / done) * (table.rows.length - results.length)
  if (seconds < 10) return t('left.few')
  if (seconds < 90) return t('left.seconds', { n: Math.ceil(seconds / 10) * 10 })
  if (seconds < 5400) return t('left.minutes', { n: Math.round(seconds / 60) })
  return t('left.hours', { n: Math.round(seconds / 3600) })
}

/** What a row was answered, if it was. */
export const answerOf = (result: Answer | null): Classification | undefined =>
  result === null || isUnanswered(result) ? undefined : result

/** How many rows took the model beyond its ranges, so that they have no answer. */
export const unansweredCount = ({ results }: Batch): number =>
  results.filter((result) => result !== null && isUnanswered(result)).length

/** How many rows got each label, most frequent first. */
export function labelCounts({ results }: Batch): [label: string, count: number][] {
  const counts = new Map<string, number>()
  for (const result of results.map(answerOf))
    if (result) counts.set(result.label, (counts.get(result.label) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}
