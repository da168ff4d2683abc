/** Texts to classify, from pasted lines or a file: records, what their columns are called, and which one holds the text. */
import { type CsvRecord, parseCsv } from '../../texts/csv.ts'
import { decodeText } from '../../texts/decode.ts'
import { TableError } from '../../texts/error.ts'
import { parseJsonTable } from '../../texts/json.ts'
import { plural } from '../format.ts'

/** Larger jobs are for `sotto classify`, which goes on where it was interrupted. */
export const most = { bytes: 20_000_000, rows: 50_000 }

export interface Source {
  /** Of the file, or `pasted`. */
  name: string
  /** Records as they came, the one with names included; all equally long. */
  records: string[][]
  /** Whether the first record names the columns. */
  isNamed: boolean
  /** Whether that is beyond doubt, because the format says so. */
  isSure: boolean
  /** What a person should know before using it. */
  notes: string[]
}

export interface Table {
  columns: string[]
  rows: string[][]
}

/** The records under their columns' names, or under numbers. */
export function tableOf({ records, isNamed }: Source): Table {
  const width = records[0]?.length ?? 0
  const numbered = Array.from({ length: width }, (_, at) => (width === 1 ? 'text' : `column ${at + 1}`))
  if (!isNamed) return { columns: numbered, rows: records }
  return { columns: records[0].map((name, at) => name.trim() || numbered[at]), rows: records.slice(1) }
}

/** One text in each line; with `pairs`, two of them with a tab in between. */
export function fromLines(text: string, pairs: boolean): Source {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new TableError('There is no text yet. Paste one text a line.')
  const records = pairs ? lines.map((line) => line.split('\t')) : lines.map((line) => [line])
  const odd = pairs ? records.findIndex((record) => record.length !== 2) : -1
  if (odd >= 0)
    throw new TableError(
      `Line ${odd + 1} has ${plural(records[odd].length, 'text')}. This model compares two: put a tab between them.`,
    )
  return checked({ name: 'pasted', records, isNamed: false, isSure: true, notes: [] })
}

/** A CSV, TSV, JSON or JSON-lines file, or texts by line. Throws {@link TableError} naming the line that cannot be read. */
export function fromFile(name: string, bytes: ArrayBuffer): Source {
  if (bytes.byteLength > most.bytes)
    throw new TableError(
      `${name} is larger than ${most.bytes / 1e6} MB. Split it, or use “sotto classify” in a terminal.`,
    )
  const { text, guess } = decodeText(name, new Uint8Array(bytes))
  const notes = guess ? [`Read as ${guess}. If letters look wrong, save the file as UTF-8.`] : []
  if (text.trim() === '') throw new TableError(`${name} is empty.`)
  if (/\.(jsonl|ndjson|json)$/i.test(name) || /^\s*\{/.test(text))
    return checked({ name, records: parseJsonTable(text), isNamed: true, isSure: true, notes })
  if (/\.txt$/i.test(name) && !isTabular(text)) return checked({ ...fromLines(text, false), name, notes })
  const found = parseCsv(text, /\.(tsv|tab)$/i.test(name) ? '\t' : undefined)
  if (found.length === 0) throw new TableError(`${name} is empty.`)
  const { records, short } = squared(found)
  const isNamed = looksNamed(records)
  // Without names, lines of unequal length are texts with a separator here and there.
  if (short.length > 0 && !isNamed) throw ragged(short[0], found)
  if (short.length > 0) notes.push(shortNote(short))
  return checked({ name, records, isNamed, isSure: false, notes })
}

/** The rows of a sheet. Throws {@link TableError} where there are none, or too many. */
export function fromSheet(name: string, rows: string[][]): Source {
  const records = rows.filter((row) => row.some((cell) => cell.trim() !== ''))
  if (records.length === 0) throw new TableError(`The first sheet of ${name} is empty.`)
  const notes = ['Its first sheet was read.']
  return checked({ name, records, isNamed: looksNamed(records), isSure: false, notes })
}

/** Lines of a text, such as reviews with a comma here and there, are not a table, whose lines have equally many cells. */
function isTabular(text: string): boolean {
  try {
    const records = parseCsv(text)
    const { length } = records[0].cells
    return length > 1 && records.every(({ cells }) => cells.length === length)
  } catch {
    return false
  }
}

/**
 * Records of the first one's length, and the lines of those that were shorter: some spreadsheets leave out empty cells at
 * the end of a line. A longer record is a text with a separator in it.
 */
function squared(found: CsvRecord[]): { records: string[][]; short: number[] } {
  const width = found[0].cells.length
  const short: number[] = []
  const records = found.map(({ line, cells }) => {
    if (cells.length < width) {
      short.push(line)
      return [...cells, ...Array<string>(width - cells.length).fill('')]
    }
    if (cells.slice(width).some((cell) => cell.trim() !== '')) throw ragged(line, found)
    return cells.slice(0, width)
  })
  return { records, short }
}

function ragged(line: number, found: CsvRecord[]): TableError {
  const width = found.find((record) => record.line === line)!.cells.length
  return new TableError(
    `Line ${line} has ${plural(width, 'cell')}, the first one ${found[0].cells.length}. Put quotes around a text with separators in it; or, where every line is one text, call the file .txt.`,
  )
}

const shortNote = (lines: number[]): string => {
  const named = lines.slice(0, 5).join(', ')
  const more = lines.length > 5 ? ` and ${lines.length - 5} more` : ''
  return `Shorter than the first line, and filled up with empty cells: ${lines.length === 1 ? 'line' : 'lines'} ${named}${more}.`
}

function checked(source: Source): Source {
  const rows = source.records.length - (source.isNamed ? 1 : 0)
  if (rows > most.rows)
    throw new TableError(
      `${source.name} has more than ${most.rows} rows. Split it, or use “sotto classify” in a terminal.`,
    )
  if (rows === 0)
    throw new TableError(`${source.name} names its columns and has no rows. Add the texts below.`)
  return source
}

const textNames = [
  'text',
  'sentence',
  'review',
  'comment',
  'message',
  'utterance',
  'query',
  'question',
].concat(['content', 'body', 'document', 'title'])
/** As GLUE's tasks and others call the two. */
const pairNames = [
  ['text', 'pair'],
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['question1', 'question2'],
  ['question', 'sentence'],
  ['question', 'answer'],
  ['text1', 'text2'],
  ['text_a', 'text_b'],
] as const
const otherNames = ['label', 'labels', 'category', 'intent', 'id', 'idx', 'index', 'score', 'date', 'name']
const known = new Set([...textNames, ...pairNames.flat(), ...otherNames])

/** Whether a table's first record looks like names rather than like the records below it. */
function looksNamed(records: string[][]): boolean {
  const [first, ...rest] = records
  const names = first.map((cell) => cell.trim().toLowerCase())
  if (names.some((name) => known.has(name))) return true
  if (rest.length === 0) return false
  const isShort = names.every((name) => name !== '' && name.length <= 40 && !isNumber(name))
  const isAbove = names.some((_, at) => rest.slice(0, 20).every((record) => isNumber(record[at] ?? '')))
  return isShort && isAbove && new Set(names).size === names.length
}

const isNumber = (cell: string): boolean => cell.trim() !== '' && Number.isFinite(Number(cell))

export interface Columns {
  text: number
  /** Of the second text, for models that compare two. */
  pair?: number
}

/** Which columns hold the texts: those with a usual name, else those with the longest cells. */
export function guessColumns({ columns, rows }: Table, pairs: boolean): Columns {
  const names = columns.map((name) => name.toLowerCase())
  const sample = rows.slice(0, 200)
  const lengths = names.map((_, at) => sample.reduce((sum, row) => sum + row[at].length, 0))
  const longest = (not = -1) =>
    lengths.reduce((best, length, at) => (at !== not && (best < 0 || length > lengths[best]) ? at : best), -1)
  if (!pairs) {
    const named = textNames.find((name) => names.includes(name))
    return { text: named ? names.indexOf(named) : longest() }
  }
  const both = pairNames.find((pair) => pair.every((name) => names.includes(name)))
  if (both) return { text: names.indexOf(both[0]), pair: names.indexOf(both[1]) }
  const two = [longest(), Math.max(0, longest(longest()))].sort((a, b) => a - b)
  return { text: two[0], pair: two[1] }
}
