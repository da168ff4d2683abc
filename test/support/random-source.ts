import { createHash } from 'node:crypto'
import { normalCdf } from '../../tools/privacy/gaussian.ts'
import { addGaussian, type RandomSource } from '../../tools/privacy/noise.ts'

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

/** The standard normal's quantiles at (i + 1/2) / n: a sample without chance. */
export const normalQuantiles = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => {
    let low = -9
    let high = 9
    for (let step = 0; step < 50; step++) {
      const middle = (low + high) / 2
      if (normalCdf(middle) < (i + 0.5) / n) low = middle
      else high = middle
    }
    return (low + high) / 2
  })

/** The values given, in an order that depends on the seed alone. */
export function shuffled(values: readonly number[], seed: number): number[] {
  const keys = new Float64Array(values.length)
  addGaussian(keys, 1, counterSource(seed))
  return [...values.keys()].sort((a, b) => keys[a] - keys[b]).map((i) => values[i])
}
