/**
 * The rows of a long pass in two bands, each a run of rows with messages of its own on the pass's schedule: while one
 * party computes on a band, the other is busy with the other one. Bands cost no hops, because neither waits for the
 * other's messages but where a row reads other rows' keys and values.
 */
import type { Shape } from './shape.ts'

/** From so many rows on a pass has bands. */
const BANDED_ROWS = 32

/** The bands of a pass, in order; one where it is short. Their rows keep the pass's serials. */
export function bandsOf(pass: Shape): Shape[] {
  const { base, rows, serial } = pass
  if (pass.isWhole || rows < BANDED_ROWS) return [pass]
  const half = Math.ceil(rows / 2)
  return [
    { ...pass, rows: half, hasMore: true },
    { ...pass, base: base + half, rows: rows - half, serial: serial + half },
  ]
}
