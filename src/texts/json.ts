/** Records of a JSON file, in the forms that people's tools write. */
import { TableError } from './error.ts'
import { parseJsonLines } from './json-lines.ts'

type Entry = Record<string, unknown>

/** More cells than a spreadsheet's sheet of that many rows is likely to have. */
const MOST_COLUMNS = 1000

/**
 * Names, then the records under them, as texts. The file is one object a line; an array of objects or texts; an object of
 * equally long columns, or of columns by row (as pandas writes them); or an object that holds such a thing as `data`,
 * `rows`, `records` or `examples`. A text counts as `{"text": ...}`, and an entry of the hub's viewer is what is in `row`.
 * @throws {TableError} naming the line or entry that is something else.
 */
export function parseJsonTable(text: string): string[][] {
  const entries = entriesOf(text)
  if (entries.length === 0) throw new TableError('The file holds no texts.')
  const names = new Map<string, number>()
  for (const { value, where } of entries) {
    for (const name of Object.keys(value)) if (!names.has(name)) names.set(name, names.size)
    if (names.size > MOST_COLUMNS)
      throw new TableError(
        `${where} brings the file to more than ${MOST_COLUMNS} columns. Keep those with texts.`,
      )
  }
  const columns = [...names.keys()]
  return [columns, ...entries.map(({ value }) => columns.map((name) => shown(value[name])))]
}

const shown = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)

interface Placed {
  value: Entry
  where: string
}

function entriesOf(text: string): Placed[] {
  const whole = parsed(text)
  if (whole !== undefined) return fromValue(whole)
  if (/^\s*\[/.test(text))
    throw new TableError('The file begins like a JSON array but isn’t one. Check its end.')
  const lines = parseJsonLines(
    text,
    (line) =>
      new TableError(`Line ${line} isn’t JSON. Every line must be an object such as {"text": "..."}.`),
  )
  return lines.map(({ line, value }) => placed(value, `Line ${line}`))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function placed(value: unknown, where: string): Placed {
  if (typeof value === 'string') return { value: { text: value }, where }
  if (!isEntry(value)) throw new TableError(`${where} is neither an object nor a text.`)
  return { value: isEntry(value.row) && 'row_idx' in value ? value.row : value, where }
}

function fromValue(value: unknown): Placed[] {
  if (Array.isArray(value)) return value.map((entry, at) => placed(entry, `Entry ${at + 1}`))
  if (!isEntry(value)) return [placed(value, 'Line 1')]
  const { columns } = value
  for (const name of ['data', 'rows', 'records', 'examples']) {
    const list = value[name]
    if (!Array.isArray(list)) continue
    if (Array.isArray(columns) && list.every(Array.isArray)) return byPosition(columns, list)
    if (list.some(isEntry)) return fromValue(list)
  }
  return byColumn(value) ?? [placed(value, 'Line 1')]
}

/** `{"columns": ["text"], "data": [["..."]]}` */
function byPosition(columns: unknown[], list: unknown[][]): Placed[] {
  return list.map((cells, at) => {
    const where = `Entry ${at + 1}`
    if (cells.length !== columns.length)
      throw new TableError(`${where} has ${cells.length} values for ${columns.length} columns.`)
    return { value: Object.fromEntries(columns.map((name, i) => [String(name), cells[i]])), where }
  })
}

/** `{"text": ["...", "..."]}`, or `{"text": {"0": "...", "1": "..."}}`; `undefined` where it is neither. */
function byColumn(value: Entry): Placed[] | undefined {
  const columns = Object.entries(value)
  if (columns.length === 0) return undefined
  const areArrays = columns.every(([, cells]) => Array.isArray(cells))
  if (!areArrays && !columns.every(([, cells]) => isEntry(cells))) return undefined
  const keys = Object.keys(columns[0][1] as object)
  const [first] = columns[0]
  for (const [name, cells] of columns) {
    const { length } = Object.keys(cells as object)
    if (length !== keys.length)
      throw new TableError(`The column “${name}” has ${length} values, “${first}” has ${keys.length}.`)
  }
  return keys.map((key, at) => ({
    value: Object.fromEntries(columns.map(([name, cells]) => [name, (cells as Entry)[key]])),
    where: `Entry ${at + 1}`,
  }))
}
