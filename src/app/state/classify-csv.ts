/** The results of a batch as a file. */
import { type Answer, type Classification, isUnanswered } from '../../owner/api.ts'
import { formatCsv } from '../../texts/csv.ts'
import { answerOf, type Batch } from './classify-batch.ts'

/**
 * The classified rows as CSV: their own columns, the label, a probability or score for each label, or the entities, and a note
 * where one is due.
 */
export function resultsCsv({ table, columns, results, model }: Batch): string {
  const isTagged = model?.outputs === 'tags'
  const numbers = model?.outputs === 'raw' ? 'score' : 'probability'
  const labels = isTagged ? [] : (model?.labels ?? [])
  const fresh = (name: string): string => (table.columns.includes(name) ? fresh(`predicted_${name}`) : name)
  const notes = results.map(noteOf)
  const hasNotes = notes.some((note) => note !== '')
  const header = [...table.columns, fresh('label'), ...labels.map((label) => fresh(`${numbers}_${label}`))]
  if (isTagged) header.push(fresh('entities'))
  const rows = results.map(answerOf).map((result, at) => {
    const by = new Map<string, number>(
      result?.scores?.map(({ label, score }) => [label, score]) ??
        result?.probabilities.map(({ label, probability }) => [label, probability]),
    )
    const shares = labels.map((label) => by.get(label)?.toFixed(6) ?? '')
    if (isTagged) shares.push(entitiesOf(table.rows[at][columns.text], result))
    return [...table.rows[at], result?.label ?? '', ...shares, ...(hasNotes ? [notes[at]] : [])]
  })
  return formatCsv([[...header, ...(hasNotes ? [fresh('note')] : [])], ...rows])
}

function noteOf(result: Answer | null): string {
  if (result === null) return 'no text'
  if (isUnanswered(result)) return `no answer: ${result.error.code}`
  return result.isCut ? 'text cut' : ''
}

/** "LOC: Berlin; PER: Ada Lovelace". */
const entitiesOf = (text: string, result: Classification | undefined): string =>
  (result?.entities ?? []).map(({ start, end, label }) => `${label}: ${text.slice(start, end)}`).join('; ')
