/** Comma-separated values, as RFC 4180 describes them and as spreadsheets write them. */
import Papa from 'papaparse'

/** A file that cannot be read as a table; the message names the line and says what to do. */
export class TableError extends Error {
  override readonly name = 'TableError'
}

const separators = [',', ';', '\t'] as const
export type Separator = (typeof separators)[number]

/** The separator that the first record has most of, outside quotes; a comma if it has none. */
export function separatorOf(text: string): Separator {
  const found = { ',': 0, ';': 0, '\t': 0 }
  let isQuoted = false
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted
    else if (char === '\n' && !isQuoted) break
    else if (!isQuoted && char in found) found[char as Separator]++
  }
  return separators.reduce((best, next) => (found[next] > found[best] ? next : best))
}

/**
 * Records of a text. Quoted fields may hold separators, doubled quotes and line breaks; a quote inside an unquoted field
 * stands for itself, and blank lines don't count. Throws {@link TableError} where a quoted field does not end well.
 */
export function parseCsv(text: string, separator: Separator = separatorOf(text)): string[][] {
  // Files that were put together have line ends of several kinds, and Papa takes one.
  const field = new RegExp(`(?<![^${separator}\\r\\n])"[^"]*(?:""[^"]*)*"|\\r\\n?`, 'g')
  const lines = text.replace(field, (found) => (found.startsWith('"') ? found : '\n'))
  const config = { delimiter: separator, newline: '\n', skipEmptyLines: true } as const
  const { data, errors } = Papa.parse<string[]>(lines, config)
  const [first] = errors
  if (!first) return data
  // Files with tabs often do without quoting, and a quote is then a character like any other.
  if (separator === '\t') return Papa.parse<string[]>(lines, { ...config, fastMode: true }).data
  const line = lines.slice(0, first.index).split('\n').length
  throw new TableError(
    first.code === 'InvalidQuotes'
      ? `A cell of line ${line} goes on behind its closing quote. Double quotes that belong to the text.`
      : `A quote that opens in line ${line} is never closed. Close it, or double quotes that belong to the text.`,
  )
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
