/** Rewrites one matrix in other bases of its rows and columns, a piece at a time, whatever its size. */
import { apply, asMonomial, type Monomial } from '../../src/protections/veiled/linear-map.ts'
import { type ExactMap, exactMap, exactRow, type Tally } from './exact-words.ts'
import { lanesFor } from './lanes.ts'
import { byPanels } from './panels.ts'
import type { Rewriting } from './rewriting.ts'
import { type ReadBytes, Rows } from './rows.ts'
import { narrow, widen, wordBytes, wordsOf } from './words.ts'

/** Bytes read at a time. */
const CHUNK = 8 << 20

/** Rewrites; counts what its type can't hold in `tally`. */
export function rewrite(task: Rewriting, tally: Tally): void {
  const rows = asMonomial(task.rows)
  if (!rows) {
    byPanels(task, tally)
    return
  }
  const columns = asMonomial(task.columns)
  const exactRows = exactMap(rows, task.type)
  const exactColumns = columns && exactMap(columns, task.type)
  if (exactRows && exactColumns) inWords(task, exactRows, exactColumns, tally)
  else inFloats(task, rows, tally)
}

function inWords({ type, read, write }: Rewriting, rows: ExactMap, columns: ExactMap, tally: Tally): void {
  const width = columns.from.length
  const rowBytes = width * wordBytes[type]
  const kind = type === 'F32' ? Uint32Array : Uint16Array
  eachChunk(read, rows.from, rowBytes, (bytes, first) => {
    const words = new kind(bytes.buffer, 0, bytes.length / wordBytes[type])
    const out = new kind(words.length)
    for (let r = 0; r * width < words.length; r++) {
      const row = { sign: rows.sign[first + r], power: rows.power[first + r] }
      exactRow(type, words, r * width, columns, row, out, r * width, tally)
    }
    write(first * rowBytes, new Uint8Array(out.buffer))
  })
}

function inFloats({ type, columns, read, write }: Rewriting, rows: Monomial, tally: Tally): void {
  const width = columns.size
  const lanes = lanesFor(width)
  const [x, spare] = [new Float64Array(width * lanes), new Float64Array(width * lanes)]
  const rowBytes = width * wordBytes[type]
  eachChunk(read, rows.from, rowBytes, (bytes, first) => {
    const words = wordsOf(type, bytes)
    for (let r = 0; r * width < words.length; r += lanes) {
      const some = Math.min(lanes, words.length / width - r)
      for (let l = 0; l < some; l++)
        widen(type, words, (r + l) * width, width, rows.scale?.[first + r + l] ?? 1, x, l, lanes)
      const y = apply(columns, x, lanes, spare)
      for (let l = 0; l < some; l++) tally.lost += narrow(type, y, l, lanes, width, words, (r + l) * width)
    }
    write(first * rowBytes, bytes)
  })
}

/** Rows in a new order, a chunk at a time. */
function eachChunk(
  read: ReadBytes,
  order: Uint32Array,
  rowBytes: number,
  body: (bytes: Uint8Array<ArrayBuffer>, first: number) => void,
): void {
  const source = new Rows(read, order.length, rowBytes)
  const rows = Math.max(1, Math.floor(CHUNK / rowBytes))
  for (let first = 0; first < order.length; first += rows) {
    const bytes = new Uint8Array(Math.min(rows, order.length - first) * rowBytes)
    source.gather(order, first, bytes)
    body(bytes, first)
  }
}
