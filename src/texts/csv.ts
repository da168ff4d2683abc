/** Comma-separated values, as RFC 4180 describes them and as spreadsheets write them. */
import Papa from 'papaparse'
import { TableError } from './error.ts'

const separators = [',', ';', '\t'] as const
type Separator = (typeof separators)[number]

/** ASCII's own unit separator, which no table of texts has in it. */
const NONE = '\u001f'

/** The separator that the first record has most of, outside quotes; one that is never found if it has none. */
export function separatorOf(text: string): Separator | typeof NONE {
  const found = { ',': 0, ';': 0, '\t': 0 }
  let isQuoted = false
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted
    else if (char === '\n' && !isQuoted) break
    else if (!isQuoted && char in found) found[char as Separator]++
  }
  const best = separators.reduce((best, next) => (found[next] > found[best] ? next : best))
  return found[best] > 0 ? best : NONE
}

/** Spreadsheets in which the comma is the decimal sign begin a file with the separator that they mean. */
const declaration = /^"?sep=([,;\t|])"?\r?\n/i

/** A record, and the line that it begins in. */
export interface CsvRecord {
  line: number
  cells: string[]
}

/**
 * Records of a text. Quoted fields may hold separators, doubled quotes and line breaks; a quote inside an unquoted field
 * stands for itself, and blank lines don't count. Where the first record has no separator there is one column, and a
 * comma in it is a comma.
 * @param given the separator; else what a first line such as `sep=;` says, else what the first record has most of.
 * @throws {TableError} where a quoted field does not end well.
 */
export function parseCsv(text: string, given?: string): CsvRecord[] {
  const said = declaration.exec(text)
  const body = said ? text.slice(said[0].length) : text
  const separator = given ?? said?.[1] ?? separatorOf(body)
  const offset = said ? 2 : 1
  // Files that were put together have line ends of several kinds, and Papa takes one.
  const field = new RegExp(`(?<![^${separator}\\r\\n])"[^"]*(?:""[^"]*)*"|\\r\\n?`, 'g')
  const lines = body.replace(field, (found) => (found.startsWith('"') ? found : '\n'))
  const config = { delimiter: separator, newline: '\n' } as const
  const { data, errors } = Papa.parse<string[]>(lines, config)
  const [first] = errors
  if (!first) return numbered(data, offset)
  // Files with tabs often do without quoting, and a quote is then a character like any other.
  if (separator === '\t')
    return numbered(Papa.parse<string[]>(lines, { ...config, fastMode: true }).data, offset)
  const line = lines.slice(0, first.index).split('\n').length + offset - 1
  throw new TableError(
    first.code === 'InvalidQuotes'
      ? `A cell of line ${line} goes on behind its closing quote. Double quotes that belong to the text.`
      : `A quote that opens in line ${line} is never closed. Close it, or double quotes that belong to the text.`,
  )
}

/** The records that are not blank, each with its line; the first is `line`. */
function numbered(records: readonly string[][], line: number): CsvRecord[] {
  const found: CsvRecord[] = []
  for (const cells of records) {
    if (cells.length > 1 || cells[0] !== '') found.push({ line, cells })
    line++
    for (const cell of cells)
      for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) line++
  }
  return found
}

/** Begins a formula in Excel, LibreOffice or Google Sheets, their full-width forms included. */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/
const plainNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** A cell that no spreadsheet runs: what would be a formula gets an apostrophe in front, unless it is just a number. */
export const guarded = (cell: string): string =>
  formula.test(cell) && !plainNumber.test(cell) ? `'${cell}` : cell

/** Writes records with commas and CRLF, every cell {@link guarded}; no byte order mark. */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(guarded))
  // Readers guess the separator: none of the others stands unquoted.
  const quotes = (cell: unknown): boolean => /[;\t]/.test(String(cell))
  return cells.length === 0 ? '' : `${Papa.unparse(cells, { newline: '\r\n', quotes })}\r\n`
}
