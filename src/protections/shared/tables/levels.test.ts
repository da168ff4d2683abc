import { expect, it } from 'vitest'
import { inverseWidths } from '../profiles/fixed/widths.ts'
import { Levels, levelCount } from './levels.ts'

const DEGREE = 5
const SCALE = 30

/** f at `value` as the parties find it under `mask`: the levels' entries at D, put together by their gates. */
function found(levels: Levels, ring: number, value: number, mask: number): number {
  const D = (value - mask + 2 ** ring) % 2 ** ring
  let sum = 0
  for (let k = 0; k < levels.shifts.length; k++) {
    const entry = new Float64Array(levels.wordsOf(k))
    levels.entry(k, levels.startOf(k, D, mask), entry, 0)
    const width = 2 ** levels.shifts[k]
    const angle = Math.acos((2 * (D % width)) / width - 1)
    for (let i = 0; i < levels.words; i++) sum += (entry[i] / 2 ** SCALE) * Math.cos(i * angle)
    if (entry[levels.words] !== 1) break
  }
  return sum
}

it.each([
  [1, 3, undefined],
  [2, 4, 3],
  [3, 4, 2],
  [4, 4, 2],
  [3, 5, 1],
] as const)(
  '%i levels of 2^%i entries are right wherever masks put their borders',
  (n, entryBits, fineShift) => {
    const segments = n * (entryBits - 1) + 1
    const ring = (fineShift ?? 6) + segments
    // The lowest value is two of the finest segments above zero; a sixteenth is free at the end.
    const unit = 2 ** (fineShift ?? 6)
    const low = 2 * unit
    const high = (n === 1 ? 1 : 15 / 16) * 2 ** ring
    const f = (x: number): number => 1 / Math.sqrt(Math.max(x, unit))
    const levels = new Levels(f, {
      ring,
      entryBits,
      fineShift,
      levels: n > 2 ? n : undefined,
      degree: DEGREE,
      scale: SCALE,
    })
    expect(levelCount({ fineShift, levels: n > 2 ? n : undefined })).toBe(n)
    const values = new Set<number>()
    // Every place near the ends of all levels, and steps of a few percent between.
    for (let v = low; v < high; v = Math.max(v + 1, Math.floor(v * 1.04))) values.add(v)
    for (let b = Math.log2(low); b <= ring; b++)
      for (const d of [-2, -1, 0, 1]) if (2 ** b + d >= low && 2 ** b + d < high) values.add(2 ** b + d)
    values.add(Math.ceil(high) - 1)
    const step = Math.max(1, Math.floor(2 ** ring / 1500)) | 1
    let worst = 0
    for (const v of values)
      for (let mask = 0; mask < 2 ** ring; mask += step)
        worst = Math.max(worst, Math.abs(found(levels, ring, v, mask) / f(v) - 1))
    expect(worst).toBeLessThan(1e-3)
  },
)

it('a geometry with a gap between two levels is refused', () => {
  expect(
    () => new Levels((x) => 1 / x, { ring: 20, entryBits: 4, fineShift: 3, degree: 3, scale: 20 }),
  ).toThrow(/gap/)
})

it('geometries cover what they are asked for, with more than two levels beyond 20 octaves', () => {
  for (let octaves = 1; octaves <= 40; octaves++) {
    const w = inverseWidths([1, 2 ** octaves * (15 / 16)], 'x', { scalars: 1, columns: 64 })
    expect(w.floor).toBeLessThanOrEqual(0.5)
    expect(levelCount(w) > 2).toBe(octaves > 20)
    expect(w.ring).toBeLessThanOrEqual(52)
  }
})
