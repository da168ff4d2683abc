/** Bodies of responses, which may be larger than they should. */
import { concatBytes } from '@noble/hashes/utils.js'
import { LinkError } from './errors.ts'

/** The body as it comes; older browsers cannot iterate over a stream. */
export async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array, void, void> {
  const reader = body?.getReader()
  if (!reader) return
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    void reader.cancel().catch(() => undefined)
  }
}

/** All of a body of at most `most` bytes, of which no more is read. Rejects with `LinkError` `oversized`. */
export async function wholeBody(response: Response, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of bodyOf(response)) {
    size += piece.length
    if (size > most) throw new LinkError('oversized', 'An answer is above the limit.')
    if (piece.length > 0) pieces.push(piece)
  }
  return concatBytes(...pieces)
}
