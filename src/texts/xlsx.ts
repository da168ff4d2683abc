/** The first sheet of an Excel workbook (ECMA-376). Read where there is one: what reads it is loaded then. */
import { strFromU8, type Unzipped, unzipSync, zipSync } from 'fflate'
import { readSheet } from 'read-excel-file/universal'
import { TableError } from './error.ts'

/** Of all parts together, unpacked: archives of a few kilobytes may hold as many gigabytes. */
const MOST_BYTES = 64_000_000
const MOST_PARTS = 4000
/** A single cell may be far away from all others, and those between are then empty ones. */
const MOST_CELLS = 4_000_000
/** Of all cells together: a text that is stored once may be in a million of them. */
const MOST_CHARACTERS = 40_000_000

/**
 * Rows of cells as texts, equally long; dates in ISO's form. Rejects with {@link TableError} for what is no workbook, is
 * damaged, would unpack to more than the limits above, or holds texts that only a spreadsheet program can tell.
 * @param name how the file is called, for people
 */
export async function readXlsx(name: string, bytes: Uint8Array): Promise<string[][]> {
  const parts = unpack(name, bytes)
  if (!parts['xl/workbook.xml'])
    throw new TableError(`${name} is an archive without an Excel workbook in it; unpack it first.`)
  // A sheet may be in any of them.
  for (const part of Object.values(parts)) check(name, strFromU8(part))
  const rows = await rowsOf(name, parts)
  const characters = rows.reduce((sum, row) => row.reduce((most, text) => most + text.length, sum), 0)
  if (characters > MOST_CHARACTERS) throw tooMuch(name)
  return rows
}

async function rowsOf(name: string, parts: Unzipped): Promise<string[][]> {
  try {
    // Packed without compression: the library would hand compressed parts to workers that pages' policies forbid.
    const packed = new Blob([zipSync(parts, { level: 0 }) as BlobPart])
    const rows = await readSheet(packed, 1, { trim: false })
    const width = rows.reduce((widest, row) => Math.max(widest, row.length), 0)
    return rows.map((row) => Array.from({ length: width }, (_, at) => textOf(row[at])))
  } catch (cause) {
    throw new TableError(`${name} is damaged, or no Excel workbook. Save the sheet as CSV.`, { cause })
  }
}

const tooMuch = (name: string): TableError =>
  new TableError(`${name} holds too much to read here. Save the sheet as CSV.`)

/** Its parts of XML, which are never larger than they say, and all together no larger than may be. */
function unpack(name: string, bytes: Uint8Array): Unzipped {
  let size = 0
  let count = 0
  const filter = (part: { name: string; size: number; originalSize: number }): boolean => {
    if (!/\.(xml|rels)$/.test(part.name)) return false
    // One that is not compressed is as large as it is packed, whatever it says, and many may be the same bytes.
    size += Math.max(part.size, part.originalSize)
    if (size > MOST_BYTES || ++count > MOST_PARTS) throw tooMuch(name)
    return true
  }
  try {
    return unzipSync(bytes, { filter })
  } catch (cause) {
    if (cause instanceof TableError) throw cause
    throw new TableError(`${name} is damaged: it cannot be unpacked. Save the sheet as CSV.`, { cause })
  }
}

/** Refuses what the library would take too much memory for, or leave out without a word. Throws {@link TableError}. */
function check(name: string, part: string): void {
  if (spanOf(part) > MOST_CELLS)
    throw new TableError(`${name} has cells far apart from each other. Save the sheet as CSV.`)
  if (/<(\w+:)?f\b[^<]*(<\/(\w+:)?f>)?\s*<\/(\w+:)?c>/.test(part))
    throw new TableError(
      `${name} has formulas whose results are not in it. Open it in a spreadsheet program and save it there.`,
    )
  if (part.includes('<![CDATA['))
    throw new TableError(`${name} has texts in an unusual form. Save the sheet as CSV.`)
}

/** How many cells the rectangle has that reaches to the last row and the last column of a sheet. */
function spanOf(sheet: string): number {
  let [rows, columns] = [0, 1]
  for (const [, reference] of sheet.matchAll(/[\s:]r\s*=\s*["']([^"']*)["']/g)) {
    const [row, column] = placeOf(reference)
    rows = Math.max(rows, row)
    columns = Math.max(columns, column)
  }
  return rows * columns
}

/** Row and column of a reference such as B12, or 12 of a row alone, as generously as the library reads them. */
function placeOf(reference: string): [row: number, column: number] {
  // What it spells otherwise is not looked at.
  if (reference.includes('&')) return [Infinity, 1]
  const digits = reference.search(/\d/)
  let column = 0
  for (let at = 0; at < digits; at++) column = 26 * column + reference.charCodeAt(at) - 64
  return [Number(reference.slice(Math.max(0, digits))) || 0, column]
}

function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  return cell instanceof Date ? cell.toISOString().replace(/T00:00:00\.000Z$/, '') : String(cell)
}
