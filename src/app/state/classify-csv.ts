/** Comma-separated values, as RFC 4180 describes them and as spreadsheets write them. */

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
 * stands for itself, and blank lines don't count. Throws {@link TableError} where a quote is never closed.
 */
export function parseCsv(text: string, separator: Separator = separatorOf(text)): string[][] {
  try {
    return parse(text, separator, true)
  } catch (error) {
    // Files with tabs often do without quoting, and a quote is then a character like any other.
    if (separator === '\t') return parse(text, separator, false)
    throw error
  }
}

function parse(text: string, separator: string, quoting: boolean): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  let line = 1
  while (at <= text.length) {
    let field = ''
    if (quoting && text[at] === '"') {
      const opened = line
      for (at++; ; at++) {
        const close = text.indexOf('"', at)
        if (close < 0)
          throw new TableError(
            `A quote that opens in line ${opened} is never closed. Close it, or double quotes that belong to the text.`,
          )
        const part = text.slice(at, close)
        field += part
        line += part.split('\n').length - 1
        at = close + 1
        if (text[at] !== '"') break
        field += '"'
      }
    }
    // The rest of the field: all of it, if it has no quotes.
    const from = at
    while (at < text.length && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') at++
    row.push(field + text.slice(from, at))
    if (text[at] === separator) {
      at++
      continue
    }
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
    if (text[at] === '\r' && text[at + 1] === '\n') at++
    at++
    line++
  }
  return rows
}

/** Begins a formula in Excel, LibreOffice or Google Sheets, their full-width forms included. */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/
const plainNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** A cell that no spreadsheet runs: what would be a formula gets an apostrophe in front, unless it is just a number. */
export const guarded = (cell: string): string =>
  formula.test(cell) && !plainNumber.test(cell) ? `'${cell}` : cell

const quoted = (cell: string): string =>
  /[",;\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell

/** Writes records with commas and CRLF, every cell {@link guarded}; no byte order mark. */
export const formatCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map((cell) => quoted(guarded(cell))).join(',')}\r\n`).join('')
