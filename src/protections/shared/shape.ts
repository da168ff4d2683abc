/** What a pass works on, and how many elements a value of it has. */

/**
 * How a value's elements hang on the rows (tokens) of a pass: `row`: `width` elements a row; `pair`: `width` elements
 * for every position that the row attends to, itself included (ragged where rows see the past alone); `last` and
 * `lastPair`: the same for the last row alone.
 */
export type Layout = 'row' | 'pair' | 'last' | 'lastPair'

/** What a plan has few of, where it can't have few of both. */
export type Goal = 'hops' | 'bytes'

/**
 * What a pass, or one row chunk of it, works on: `rows` new tokens after `base` others. `serial` is the first row's
 * never-reused number.
 */
export interface Shape {
  readonly base: number
  readonly rows: number
  readonly serial: number
  /** Run a plan of few bytes, whatever the number of rows: where nothing is said, long passes do. */
  readonly goal?: 'bytes'
  /** Run in one row chunk, whatever the number of rows. */
  readonly isWhole?: boolean
  /** Positions that every row attends to, later ones too: an encoder's. Without it a row sees the past and itself. */
  readonly seen?: number
  /** More rows of the same pass follow in other row chunks, so that none of these is its last. */
  readonly hasMore?: boolean
}

/** Positions that row r attends to, itself included. */
export const span = (shape: Shape, row: number): number => shape.seen ?? shape.base + row + 1

/** Positions that the rows attend to, all together. */
export const spanOf = (shape: Shape): number => span(shape, shape.rows - 1)

/**
 * The position in its text of row r. Of an encoder's text the first token comes last, because a classifier reads its row.
 */
export const positionOf = (shape: Shape, row: number): number =>
  shape.seen === undefined ? shape.base + row : (shape.base + row + 1) % shape.seen

/** Whether a layout has elements at all: the last row is in a pass's last row chunk. */
export const isPresent = (shape: Shape, layout: Layout): boolean =>
  !shape.hasMore || layout === 'row' || layout === 'pair'

/** Rows that a `row` or `last` value has. */
export const rowsOf = (shape: Shape, layout: Layout): number =>
  layout !== 'last' ? shape.rows : shape.hasMore ? 0 : 1

/** The first row that a layout has elements for. */
export const firstRow = (shape: Shape, layout: Layout): number =>
  layout === 'last' || layout === 'lastPair' ? shape.rows - 1 : 0

/** Per-position companion of a per-row layout, and back. */
export const pairLayout = (layout: Layout): Layout => (layout === 'last' ? 'lastPair' : 'pair')
/** Per-row companion of any layout. */
export const rowLayout = (layout: Layout): Layout =>
  layout === 'last' || layout === 'lastPair' ? 'last' : 'row'

/** Elements of one row of a layout. */
export function rowCount(shape: Shape, row: number, layout: Layout, width: number): number {
  if (row < firstRow(shape, layout) || !isPresent(shape, layout)) return 0
  return (layout === 'pair' || layout === 'lastPair' ? span(shape, row) : 1) * width
}

/** Elements of all rows of a layout. */
export function count(shape: Shape, layout: Layout, width: number): number {
  const { rows, base, seen } = shape
  if (!isPresent(shape, layout)) return 0
  if (layout === 'lastPair') return width * spanOf(shape)
  if (layout !== 'pair') return width * rowsOf(shape, layout)
  return width * rows * (seen ?? base + (rows + 1) / 2)
}
