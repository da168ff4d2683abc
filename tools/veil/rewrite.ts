/** Rewrites one matrix in other bases of its rows and columns, a piece at a time, whatever its size. */
import { asMonomial, type Monomial } from '../../src/protections/veiled/linear-map.ts'
import { type ExactMap, exactMap, exactRows, type Tally } from './exact-words.ts'
import { byPanels } from './panels.ts'
import type { Rewriting } from './rewriting.ts'
import { CHUNK, Rows } from './rows.ts'
import { wordBytes } from './words.ts'
import { TILE, type Workspace, withWorkspace } from './workspace.ts'

/** Rewrites; counts what its type can't hold in `tally`. */
export function rewrite(task: Rewriting, tally: Tally): void {
  withWorkspace(task.type, (space) => {
    const rows = asMonomial(task.rows)
    if (!rows) {
      byPanels(task, space, tally)
      return
    }
    const columns = asMonomial(task.columns)
    const exactRowMap = exactMap(rows, task.type)
    const exactColumns = columns && exactMap(columns, task.type)
    if (exactRowMap && exactColumns) inWords(task, space, exactRowMap, exactColumns, tally)
    else inTiles(task, space, rows, tally)
  })
}

function inWords(task: Rewriting, space: Workspace, rows: ExactMap, columns: ExactMap, tally: Tally): void {
  const rowBytes = columns.from.length * wordBytes[task.type]
  const run = exactRows(space, columns, tally)
  eachChunk(task, space, rows.from, rowBytes, (words, first, count, out) =>
    run(words, out, count, rows, first),
  )
}

function inTiles(task: Rewriting, space: Workspace, rows: Monomial, tally: Tally): void {
  const { type, columns } = task
  const { x: module, lanes, isWide } = space
  const width = columns.size
  const rowBytes = width * wordBytes[type]
  const [x, spare] = [0, 1].map(() => space.alloc(width * TILE))
  const factors = space.alloc(TILE)
  const map = space.map(columns)
  const [tileOf, ofTile] = isWide
    ? [module.tileOfNumbers, module.numbersOfTile]
    : [module.tileOfWords, module.wordsOfTile]
  const isFirst = type === 'F16' || type === 'F32'
  eachChunk(task, space, rows.from, rowBytes, (words, first, count, out) => {
    for (let r = 0; r < count; r += lanes) {
      // The last tile may hold vectors beyond the last row, which is read and written over.
      space
        .floats(factors, lanes)
        .set(Array.from({ length: lanes }, (_, l) => rows.scale?.[first + r + l] ?? 1))
      tileOf(words + r * rowBytes, rowBytes, width, factors, isFirst, x)
      tally.lost += ofTile(map(x, spare), width, isFirst, out + r * rowBytes, rowBytes)
    }
  })
}

/** Rows in a new order, a chunk at a time: `body` has them at `words`, and puts what becomes of them to `out`. */
function eachChunk(
  { read, write }: Rewriting,
  space: Workspace,
  order: Uint32Array,
  rowBytes: number,
  body: (words: number, first: number, count: number, out: number) => void,
): void {
  const source = new Rows(read, order.length, rowBytes)
  const most = Math.min(
    order.length,
    Math.max(space.lanes, Math.floor(CHUNK / rowBytes / space.lanes) * space.lanes),
  )
  // Room for a tile that is not full.
  const length = (most + space.lanes) * rowBytes
  const [words, out] = [0, 1].map(() => space.alloc(length))
  for (let first = 0; first < order.length; first += most) {
    const count = Math.min(most, order.length - first)
    const bytes = count * rowBytes
    source.gather(order, first, space.bytes(words, bytes))
    // Beyond the last row there are zeros.
    if (count % space.lanes > 0) space.bytes(words + bytes, space.lanes * rowBytes).fill(0)
    body(words, first, count, out)
    write(first * rowBytes, space.bytes(out, bytes))
  }
}
