import { describe, expect, it } from 'vitest'
import type { Classification, ModelListing } from '../../owner/api.ts'
import {
  answerOf,
  type Batch,
  finished,
  isComplete,
  labelCounts,
  remaining,
  timeLeft,
  unansweredCount,
  withResult,
} from './classify-batch.ts'
import { resultsCsv } from './classify-csv.ts'

const result = (label: string, isCut = false): Classification => ({
  label,
  probabilities: [
    { label: 'no', probability: label === 'no' ? 0.75 : 0.25 },
    { label: 'yes', probability: label === 'yes' ? 0.75 : 0.25 },
  ],
  isCut,
})

const batch: Batch = {
  name: 'a.csv',
  table: {
    columns: ['id', 'text'],
    rows: [
      ['1', 'a'],
      ['2', ' '],
      ['3', '=b'],
      ['4', ''],
    ],
  },
  columns: { text: 1 },
  results: [],
}

describe('a batch', () => {
  it('leaves out rows without a text, and goes on behind the last result', () => {
    expect(remaining(batch)).toEqual({ inputs: [{ text: 'a' }, { text: '=b' }], rows: [0, 2] })
    const one = withResult(batch, 0, result('yes'))
    expect(remaining(one)).toEqual({ inputs: [{ text: '=b' }], rows: [2] })
    const two = withResult(one, 2, result('no'))
    expect(two.results.map((each) => answerOf(each)?.label ?? null)).toEqual(['yes', null, 'no'])
    expect(isComplete(two)).toBe(false)
    expect(isComplete(finished(two))).toBe(true)
    expect(labelCounts(two)).toEqual([
      ['yes', 1],
      ['no', 1],
    ])
  })

  it('takes a result once', () => {
    const one = withResult(batch, 0, result('yes'))
    expect(withResult(one, 0, result('no'))).toBe(one)
  })

  it('sends a pair only where there are both', () => {
    const pairs = { ...batch, columns: { text: 0, pair: 1 } }
    expect(remaining(pairs).inputs).toEqual([
      { text: '1', pair: 'a' },
      { text: '3', pair: '=b' },
    ])
  })

  it('tells the time left from the pace of this run alone', () => {
    const rows = Array.from({ length: 1000 }, () => ['', 'x'])
    const at = (done: number): Batch => ({
      ...batch,
      table: { ...batch.table, rows },
      results: Array<null>(done).fill(null),
      since: { ms: 1000, rows: 400 },
    })
    expect(timeLeft(at(401), 2000)).toBe('')
    expect(timeLeft(at(410), 6000)).toBe('about 5 min left')
    expect(timeLeft(at(900), 51_000)).toBe('about 10 s left')
    expect(timeLeft(at(999), 60_000)).toBe('a few seconds left')
  })
})

describe('the CSV of a batch', () => {
  const model = { name: 'm', labels: ['no', 'yes'] } as Partial<ModelListing> as ModelListing
  const labelled = { ...batch, model }

  it('has the columns that came, the label and each probability', () => {
    const csv = resultsCsv(withResult(labelled, 0, result('yes')))
    expect(csv).toBe('id,text,label,probability_no,probability_yes\r\n1,a,yes,0.250000,0.750000\r\n')
  })

  it('notes rows without a text and texts that were cut, and runs no formula', () => {
    const done = finished(withResult(withResult(labelled, 0, result('yes')), 2, result('no', true)))
    expect(resultsCsv(done).split('\r\n')).toEqual([
      'id,text,label,probability_no,probability_yes,note',
      '1,a,yes,0.250000,0.750000,',
      '2," ",,,,no text',
      "3,'=b,no,0.750000,0.250000,text cut",
      '4,,,,,no text',
      '',
    ])
  })

  it('notes rows without an answer, which count for no label', () => {
    const error = { code: 'out-of-range', message: 'Noise.', advice: '' }
    const done = withResult(labelled, 0, { error })
    expect(labelCounts(done)).toEqual([])
    expect(unansweredCount(done)).toBe(1)
    expect(resultsCsv(done).split('\r\n')[1]).toBe('1,a,,,,no answer: out-of-range')
  })

  it('does not take the name of a column that is there', () => {
    const table = { columns: ['label', 'text'], rows: [['x', 'a']] }
    const csv = resultsCsv(withResult({ ...labelled, table }, 0, result('no')))
    expect(csv).toMatch(/^label,text,predicted_label,probability_no,/)
  })
})
