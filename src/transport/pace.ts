/** Bodies that have to keep coming. */
import { limits } from './limits.ts'
import { withTimeout } from './timeout.ts'

export interface Pace {
  graceMs: number
  bytesPerSecond: number
}

const usual: Pace = { graceMs: limits.bodyGraceMs, bytesPerSecond: limits.bodyBytesPerSecond }

/**
 * The pieces of a body as they come. Rejects with `LinkError` `timeout` where it comes too slowly; time that the reader
 * takes is not counted. The body is left as it is where iteration ends early.
 */
export async function* paced(
  body: AsyncIterable<Uint8Array>,
  { graceMs, bytesPerSecond }: Pace = usual,
): AsyncGenerator<Uint8Array, void, void> {
  const pieces = body[Symbol.asyncIterator]()
  let leftMs = graceMs
  for (;;) {
    const asked = performance.now()
    const next = await withTimeout(pieces.next(), leftMs)
    if (next.done) return
    // What came quickly saves time for what follows, but not without end.
    leftMs += asked - performance.now() + (1000 * next.value.length) / bytesPerSecond
    leftMs = Math.min(3 * graceMs, Math.max(1, leftMs))
    yield next.value
  }
}
