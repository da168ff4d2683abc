/** Rows of keys and values that outlive a pass, with their masks. Positions past a pass's base are overwritten. */
import type { Lanes } from './ring.ts'

/** Rows of a cached tensor, positions x width. */
export interface CachedRows {
  /** Opened values (oracle: plain values; dealer: empty). */
  readonly values: Lanes
  /** The holder's part of the masks (dealer: the whole masks; oracle: empty). */
  readonly masks: Lanes
}

interface Column {
  width: number
  values: Lanes
  masks: Lanes
}

/**
 * One holder's rows of every cached tensor of a conversation, by name; memory for the whole context at once.
 */
export class RowCache {
  readonly #columns = new Map<string, Column>()
  readonly #context: number

  /** @param context the longest sequence, in rows. */
  constructor(context: number) {
    this.#context = context
  }

  /** Writes `rows` rows from position `base` on. */
  write(name: string, base: number, rows: number, part: CachedRows): void {
    const width = Math.max(part.values.length, part.masks.length) / rows
    if (base + rows > this.#context) throw new RangeError(`the context of ${this.#context} positions is full`)
    let column = this.#columns.get(name)
    if (!column) {
      const size = (lanes: Lanes): Lanes => new BigUint64Array(lanes.length > 0 ? this.#context * width : 0)
      column = { width, values: size(part.values), masks: size(part.masks) }
      this.#columns.set(name, column)
    }
    column.values.set(part.values, part.values.length > 0 ? base * width : 0)
    column.masks.set(part.masks, part.masks.length > 0 ? base * width : 0)
  }

  /** The first `rows` positions. */
  read(name: string, rows: number): CachedRows {
    const column = this.#columns.get(name)
    if (!column) throw new RangeError(`nothing is cached as '${name}'`)
    const end = rows * column.width
    return { values: column.values.subarray(0, end), masks: column.masks.subarray(0, end) }
  }
}
