/**
 * The rows of a long pass in two row chunks, each a run of rows with messages of its own on the pass's schedule: while
 * one party computes on a row chunk, the other is busy with the other one. Row chunks cost no hops, because neither
 * waits for the other's messages but where a row reads other rows' keys and values.
 */
import type { Shape } from './shape.ts'

/** From so many rows on a pass has row chunks. */
const CHUNKED_ROWS = 32

/** The row chunks of a pass, in order; one where it is short. Their rows keep the pass's serials. */
export function rowChunksOf(pass: Shape): Shape[] {
  const { base, rows, serial } = pass
  if (pass.isWhole || rows < CHUNKED_ROWS) return [pass]
  const half = Math.ceil(rows / 2)
  return [
    { ...pass, rows: half, hasMore: true },
    { ...pass, base: base + half, rows: rows - half, serial: serial + half },
  ]
}
