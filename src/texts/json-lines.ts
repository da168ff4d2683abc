/** JSON lines (jsonlines.org): one value on each line. */

export interface JsonLine {
  /** Counts from 1, blank lines included. */
  line: number
  value: unknown
}

/**
 * The values of a text. A byte order mark, CRLF and blank lines are no part of them: PowerShell and spreadsheets write
 * such.
 * @param refuse makes the error of a line that is not JSON.
 */
export function parseJsonLines(text: string, refuse: (line: number) => Error): JsonLine[] {
  const rows = text.replace(/^\ufeff/, '').split('\n')
  return rows.flatMap((row, at) => {
    if (row.trim() === '') return []
    try {
      return [{ line: at + 1, value: JSON.parse(row) as unknown }]
    } catch {
      throw refuse(at + 1)
    }
  })
}
