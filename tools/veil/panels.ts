/** Rewrites a matrix whose rows are mixed with each other: some of its columns are in memory at a time, in full. */
import { asMonomial } from '../../src/protections/veiled/linear-map.ts'
import type { Tally } from './exact-words.ts'
import type { Rewriting } from './rewriting.ts'
import { CHUNK } from './rows.ts'
import { wordBytes } from './words.ts'
import { TILE, type Workspace } from './workspace.ts'

/** Bytes of a panel: columns of all rows, as floats. */
const PANEL = 1 << 30

/** A panel's place in the matrix, and in memory, where its rows are `stride` bytes apart. */
interface Panel {
  readonly at: number
  readonly from: number
  readonly width: number
  readonly stride: number
}

/** The file is read once for each panel, of which there is one unless the matrix is very large. */
export function byPanels(task: Rewriting, space: Workspace, tally: Tally, panelBytes = PANEL): void {
  const { rows, columns } = task
  const { lanes, floatBytes } = space
  const tiles = Math.max(1, Math.floor(panelBytes / (rows.size * TILE)))
  const most = Math.min(tiles * lanes, Math.ceil(columns.size / lanes) * lanes)
  const at = space.alloc(rows.size * most * floatBytes)
  const [x, spare] = [0, 1].map(() => space.alloc(Math.max(rows.size, columns.size) * TILE))
  const mix = space.map(rows)
  const fill = filler(task, space, x, spare)
  const store = storer(task, space, tally)
  for (let from = 0; from < columns.size; from += most) {
    const panel = { at, from, width: Math.min(most, columns.size - from), stride: most * floatBytes }
    // Tiles that are not full have zeros beyond the last column.
    if (panel.width < most) space.bytes(at, rows.size * panel.stride).fill(0)
    fill(panel)
    for (let column = 0; column < panel.width; column += lanes) {
      space.x.tileOfPlane(at + column * floatBytes, panel.stride, rows.size, x)
      space.x.planeOfTile(mix(x, spare), rows.size, at + column * floatBytes, panel.stride)
    }
    store(panel)
  }
}

/** Fills a panel with its columns of all rows, in their new basis. */
function filler(task: Rewriting, space: Workspace, x: number, spare: number): (panel: Panel) => void {
  const { type, rows, columns, read } = task
  const { x: module, lanes, isWide, floatBytes } = space
  const isFirst = type === 'F16' || type === 'F32'
  const rowBytes = columns.size * wordBytes[type]
  const most = Math.max(lanes, Math.floor(CHUNK / rowBytes / lanes) * lanes)
  const words = space.alloc((most + lanes) * rowBytes)
  const single = asMonomial(columns)
  const order = single && space.put(single.from)
  const scale = single && space.putFloats(single.scale ?? new Float64Array(columns.size).fill(1))
  const map = single ? undefined : space.map(columns)
  const ones = space.putFloats(new Float64Array(lanes).fill(1))
  const floatsOf = isWide ? module.floatsOfNumbers : module.floatsOfWords
  const tileOf = isWide ? module.tileOfNumbers : module.tileOfWords
  return ({ at, from, width, stride }) => {
    for (let first = 0; first < rows.size; first += most) {
      const count = Math.min(most, rows.size - first)
      read(first * rowBytes, space.bytes(words, count * rowBytes))
      if (order !== undefined && scale !== undefined)
        for (let r = 0; r < count; r++)
          floatsOf(
            words + r * rowBytes,
            order + 4 * from,
            scale + floatBytes * from,
            width,
            isFirst,
            at + (first + r) * stride,
          )
      else if (map)
        for (let r = 0; r < count; r += lanes) {
          tileOf(words + r * rowBytes, rowBytes, columns.size, ones, isFirst, x)
          const tile = space.floats(map(x, spare) + from * TILE, width * lanes)
          for (let l = 0; l < Math.min(lanes, count - r); l++) {
            const row = space.floats(at + (first + r + l) * stride, width)
            for (let j = 0; j < width; j++) row[j] = tile[j * lanes + l]
          }
        }
    }
  }
}

/** Writes a panel to its columns. */
function storer(task: Rewriting, space: Workspace, tally: Tally): (panel: Panel) => void {
  const { type, rows, columns, write } = task
  const { x: module, isWide } = space
  const isFirst = type === 'F16' || type === 'F32'
  const size = wordBytes[type]
  const ofFloats = isWide ? module.numbersOfFloats : module.wordsOfFloats
  const most = Math.max(1, Math.floor(CHUNK / (columns.size * size)))
  const words = space.alloc((most + 1) * columns.size * size)
  return ({ at, from, width, stride }) => {
    // A panel that is not whole has its rows apart in the file.
    const some = width === columns.size ? most : 1
    for (let first = 0; first < rows.size; first += some) {
      const count = Math.min(some, rows.size - first)
      for (let r = 0; r < count; r++)
        tally.lost += ofFloats(at + (first + r) * stride, width, isFirst, words + r * width * size)
      write((first * columns.size + from) * size, space.bytes(words, count * width * size))
    }
  }
}
