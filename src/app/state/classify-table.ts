/** Texts to classify, from pasted lines or a file: records, what their columns are called, and which one holds the text. */
import { parseCsv, TableError } from './classify-csv.ts'

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
  const lonely = pairs ? records.findIndex((record) => record.length < 2) : -1
  if (lonely >= 0)
    throw new TableError(
      `Line ${lonely + 1} has one text only. This model compares two: put a tab between them.`,
    )
  return checked({ name: 'pasted', records, isNamed: false, isSure: true })
}

/** A CSV, TSV, JSON or JSON-lines file. Throws {@link TableError} naming the line that cannot be read. */
export function fromFile(name: string, bytes: ArrayBuffer): Source {
  if (bytes.byteLength > most.bytes)
    throw new TableError(
      `${name} is larger than ${most.bytes / 1e6} MB. Split it, or use “sotto classify” in a terminal.`,
    )
  const text = decode(bytes)
  if (text.trim() === '') throw new TableError(`${name} is empty.`)
  const isJson = /\.(jsonl|ndjson|json)$/i.test(name) || /^\s*\{/.test(text)
  if (isJson) return checked({ name, records: fromJson(text), isNamed: true, isSure: true })
  const records = parseCsv(text, /\.(tsv|tab)$/i.test(name) ? '\t' : undefined)
  return checked({ name, records, isNamed: looksNamed(records), isSure: false })
}

function checked(source: Source): Source {
  if (source.records.length > most.rows + 1)
    throw new TableError(
      `${source.name} has more than ${most.rows} rows. Split it, or use “sotto classify” in a terminal.`,
    )
  const width = Math.max(...source.records.map((record) => record.length))
  const records = source.records.map((record) => [
    ...record,
    ...Array<string>(width - record.length).fill(''),
  ])
  return { ...source, records }
}

/** Most files are UTF-8; older spreadsheets write UTF-16 or Windows-1252. */
function decode(bytes: ArrayBuffer): string {
  const [first, second] = new Uint8Array(bytes)
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

/** One object a line, or one array of objects; a string counts as `{"text": ...}`. */
function fromJson(text: string): string[][] {
  const values = /^\s*\[/.test(text) ? parseArray(text) : parseLines(text)
  const names = new Map<string, number>()
  for (const { value } of values)
    for (const name of Object.keys(value)) if (!names.has(name)) names.set(name, names.size)
  const shown = (value: unknown) =>
    value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
  return [
    [...names.keys()],
    ...values.map(({ value }) => [...names.keys()].map((name) => shown(value[name]))),
  ]
}

interface Parsed {
  value: Record<string, unknown>
}

function parseArray(text: string): Parsed[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    throw new TableError('The file begins like a JSON array but isn’t one. Check its end.')
  }
  return (list as unknown[]).map((value, at) => ({ value: asRecord(value, `Entry ${at + 1}`) }))
}

const parseLines = (text: string): Parsed[] =>
  text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw new TableError(`Line ${at + 1} isn’t JSON. Every line must be an object such as {"text": "..."}.`)
    }
    return [{ value: asRecord(value, `Line ${at + 1}`) }]
  })

function asRecord(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'string') return { text: value }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new TableError(`${where} is neither an object nor a text.`)
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
  if (rest.length === 0) return false
  const names = first.map((cell) => cell.trim().toLowerCase())
  if (names.some((name) => known.has(name))) return true
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
