import { createHash } from 'node:crypto'
import type { RandomSource } from './noise.ts'

/** A source for tests that must replay: SHA-256 of a seed and a counter. */
export function counterSource(seed: number): RandomSource & { counter: number } {
  const source = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += 32)
      bytes.set(
        createHash('sha256')
          .update(`${seed} ${source.counter++}`)
          .digest()
          .subarray(0, bytes.length - at),
        at,
      )
  }
  source.counter = 0
  return source
}
