/**
 * The rows of a long pass in a few bands, each a run of rows with messages of its own on the pass's schedule: while one
 * party computes on a band, the other is busy with the next. Bands cost no hops, because none waits for another's
 * messages but where a row reads other rows' keys and values.
 */
import type { Shape } from './plan.ts'

/** From twice so many rows on a pass has bands. */
const BAND_ROWS = 16

/** More bands keep both parties busier, and have more messages. */
const MOST_BANDS = 4

/** The bands of a pass, in order; one where it is short. Their rows keep the pass's serials. */
export function bandsOf(pass: Shape): Shape[] {
  const { base, rows, serial } = pass
  const n = pass.isWhole ? 1 : Math.max(1, Math.min(MOST_BANDS, Math.floor(rows / BAND_ROWS)))
  const starts = Array.from({ length: n + 1 }, (_, i) => Math.floor((i * rows) / n))
  return starts.slice(0, n).map((first, i) => ({
    ...pass,
    base: base + first,
    rows: starts[i + 1] - first,
    serial: serial + first,
    hasMore: i < n - 1,
  }))
}
