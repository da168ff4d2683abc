/** Rewrites a matrix whose rows are mixed with each other: some of its columns are in memory at a time, in full. */
import { apply, asMonomial, type LinearMap } from '../../src/protections/veiled/linear-map.ts'
import type { Tally } from './exact-words.ts'
import { lanesFor } from './lanes.ts'
import type { Rewriting } from './rewriting.ts'
import { narrow, type WordType, widen, wordBytes, wordsOf } from './words.ts'

/** Bytes of a panel: columns of all rows, as floats. */
const PANEL = 640 << 20

/** Bytes read or written at a time. */
const CHUNK = 8 << 20

/** Halves lose nothing to speak of in float32; what is wider is kept in float64. */
type Plane = Float32Array | Float64Array

const planeOf = (type: WordType, length: number): Plane =>
  wordBytes[type] === 2 ? new Float32Array(length) : new Float64Array(length)

/** The file is read once for each panel, of which there is one unless the matrix is very large. */
export function byPanels(task: Rewriting, tally: Tally, panelBytes = PANEL): void {
  const { type, rows, columns } = task
  const perValue = wordBytes[type] === 2 ? 4 : 8
  const most = Math.max(1, Math.floor(panelBytes / (perValue * rows.size)))
  for (let from = 0; from < columns.size; from += most) {
    const width = Math.min(most, columns.size - from)
    const plane = planeOf(type, rows.size * width)
    fill(task, plane, from, width)
    mixRows(rows, plane, width)
    store(task, plane, from, width, tally)
  }
}

/** Columns [from, from + width) of all rows, in their new basis. */
function fill({ type, rows, columns, read }: Rewriting, plane: Plane, from: number, width: number): void {
  const all = columns.size
  const rowBytes = all * wordBytes[type]
  const some = Math.max(1, Math.floor(CHUNK / rowBytes))
  const single = asMonomial(columns)
  const row = new Float64Array(single ? all : 0)
  const lanes = lanesFor(all)
  const [x, spare] = [0, 1].map(() => new Float64Array(single ? 0 : all * lanes))
  for (let first = 0; first < rows.size; first += some) {
    const count = Math.min(some, rows.size - first)
    const bytes = new Uint8Array(count * rowBytes)
    read(first * rowBytes, bytes)
    const words = wordsOf(type, bytes)
    if (single)
      for (let r = 0; r < count; r++) {
        widen(type, words, r * all, all, 1, row, 0, 1)
        const at = (first + r) * width
        for (let j = 0; j < width; j++)
          plane[at + j] = row[single.from[from + j]] * (single.scale?.[from + j] ?? 1)
      }
    else
      for (let r = 0; r < count; r += lanes) {
        const here = Math.min(lanes, count - r)
        for (let l = 0; l < here; l++) widen(type, words, (r + l) * all, all, 1, x, l, lanes)
        const y = apply(columns, x, lanes, spare)
        for (let l = 0; l < here; l++) {
          const at = (first + r + l) * width
          for (let j = 0; j < width; j++) plane[at + j] = y[(from + j) * lanes + l]
        }
      }
  }
}

function mixRows(rows: LinearMap, plane: Plane, width: number): void {
  const lanes = lanesFor(rows.size)
  const [x, spare] = [0, 1].map(() => new Float64Array(rows.size * lanes))
  for (let from = 0; from < width; from += lanes) {
    const some = Math.min(lanes, width - from)
    for (let r = 0; r < rows.size; r++)
      for (let l = 0; l < some; l++) x[r * lanes + l] = plane[r * width + from + l]
    const y = apply(rows, x, lanes, spare)
    for (let r = 0; r < rows.size; r++)
      for (let l = 0; l < some; l++) plane[r * width + from + l] = y[r * lanes + l]
  }
}

function store(
  { type, rows, columns, write }: Rewriting,
  plane: Plane,
  from: number,
  width: number,
  tally: Tally,
): void {
  const size = wordBytes[type]
  // A panel that is not whole has its rows apart in the file.
  const some = width === columns.size ? Math.max(1, Math.floor(CHUNK / (width * size))) : 1
  for (let first = 0; first < rows.size; first += some) {
    const count = Math.min(some, rows.size - first) * width
    const bytes = new Uint8Array(count * size)
    tally.lost += narrow(type, plane, first * width, 1, count, wordsOf(type, bytes), 0)
    write((first * columns.size + from) * size, bytes)
  }
}
