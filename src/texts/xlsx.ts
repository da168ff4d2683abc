/** The first sheet of an Excel workbook (ECMA-376). Read where there is one: what reads it is loaded then. */
import { strFromU8, type Unzipped, unzipSync, zipSync } from 'fflate'
import { readSheet } from 'read-excel-file/universal'
import { TableError } from './error.ts'

/** Of all parts together, unpacked: archives of a few kilobytes may hold as many gigabytes. */
const MOST_BYTES = 64_000_000
const MOST_PARTS = 4000
/** A single cell may be far away from all others, and those between are then empty ones. */
const MOST_CELLS = 4_000_000

/**
 * Rows of cells as texts, equally long; dates in ISO's form. Rejects with {@link TableError} for what is no workbook, is
 * damaged, or would unpack to more than {@link MOST_BYTES} or {@link MOST_CELLS}.
 * @param name how the file is called, for people
 */
export async function readXlsx(name: string, bytes: Uint8Array): Promise<string[][]> {
  const parts = unpack(name, bytes)
  if (!parts['xl/workbook.xml'])
    throw new TableError(`${name} is an archive without an Excel workbook in it; unpack it first.`)
  for (const [path, part] of Object.entries(parts))
    if (path.startsWith('xl/worksheets/') && spanOf(strFromU8(part)) > MOST_CELLS)
      throw new TableError(`${name} has cells far apart from each other. Save the sheet as CSV.`)
  try {
    // Packed without compression: the library would hand compressed parts to workers that pages' policies forbid.
    const rows = await readSheet(new Blob([zipSync(parts, { level: 0 }) as BlobPart]))
    const width = rows.reduce((widest, row) => Math.max(widest, row.length), 0)
    return rows.map((row) => Array.from({ length: width }, (_, at) => textOf(row[at])))
  } catch (cause) {
    throw new TableError(`${name} is damaged, or no Excel workbook. Save the sheet as CSV.`, { cause })
  }
}

/** Its parts of XML, which are never larger than they say, and all together no larger than may be. */
function unpack(name: string, bytes: Uint8Array): Unzipped {
  let size = 0
  let count = 0
  const filter = (part: { name: string; originalSize: number }): boolean => {
    if (!/\.(xml|rels)$/.test(part.name)) return false
    size += part.originalSize
    if (size > MOST_BYTES || ++count > MOST_PARTS)
      throw new TableError(`${name} holds too much to read here. Save the sheet as CSV.`)
    return true
  }
  try {
    return unzipSync(bytes, { filter })
  } catch (cause) {
    if (cause instanceof TableError) throw cause
    throw new TableError(`${name} is damaged: it cannot be unpacked. Save the sheet as CSV.`, { cause })
  }
}

/** How many cells the rectangle has that reaches to the last row and the last column of a sheet. */
function spanOf(sheet: string): number {
  let [rows, columns] = [0, 0]
  for (const [, letters, digits] of sheet.matchAll(/\sr\s*=\s*["']([A-Za-z]*)(\d+)["']/g)) {
    rows = Math.max(rows, Number(digits))
    columns = Math.max(
      columns,
      [...letters.toUpperCase()].reduce((at, letter) => 26 * at + letter.charCodeAt(0) - 64, 0),
    )
  }
  return rows * Math.max(1, columns)
}

function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  return cell instanceof Date ? cell.toISOString().replace(/T00:00:00\.000Z$/, '') : String(cell)
}
