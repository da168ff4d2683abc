import { Rotations } from './rotations.ts'

export interface LineSpec {
  /** log2 of the argument's range; arguments are signed. */
  readonly ring: number
  /** log2 of the number of lines. */
  readonly entryBits: number
  /** What the values are multiplied by before they are rounded. */
  readonly scale: number
}

/**
 * The line of least squares for every interval of an argument's ring, wherever a mask puts it: f(start + low) is about
 * c0 + c1 low, both times `scale`.
 */
export function lineTable(f: (x: number) => number, { ring, entryBits, scale }: LineSpec): Rotations {
  const shift = ring - entryBits
  const n = 2 ** shift
  const mean = (n - 1) / 2
  let spread = 0
  for (let x = 0; x < n; x++) spread += (x - mean) ** 2
  return new Rotations({ shift, entries: 2 ** entryBits, words: 2 }, (place, out) => {
    for (let k = 0; k < out.length / 2; k++) {
      const start = place + k * n
      const from = start < 2 ** (ring - 1) ? start : start - 2 ** ring
      let [sum, moment] = [0, 0]
      for (let x = 0; x < n; x++) {
        const y = f(from + x) * scale
        sum += y
        moment += y * (x - mean)
      }
      out[2 * k + 1] = spread > 0 ? Math.round(moment / spread) : 0
      out[2 * k] = Math.round(sum / n - out[2 * k + 1] * mean)
    }
  })
}
