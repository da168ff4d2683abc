import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { belowCap } from './below-cap.ts'
import { highestLevel } from './highest-level.ts'
import { open } from './open.ts'
import { thermometer } from './thermometer.ts'
import { truncate } from './truncate.ts'

const HEADS = 2
const shape = { base: 2, rows: 3, serial: 11 }
/** Positions that each row sees. */
const spans = [3, 4, 5]

/** Position by position of each row. */
function rowsOf<T>(values: T[]): T[][] {
  return spans.map((n, r) => {
    const from = spans.slice(0, r).reduce((a, b) => a + b, 0)
    return values.slice(from * HEADS, (from + n) * HEADS)
  })
}

describe('the thermometer', () => {
  it.each([
    ['pair', 3],
    ['pair', 4],
    ['lastPair', 3],
  ] as const)('counts the %s positions at or above each of 2^%i bins', (layout, bits) => {
    const bins = 2 ** bits
    for (let seed = 0; seed < 12; seed++) {
      const size = layout === 'pair' ? 24 : 10
      const values = Array.from({ length: size }, (_, i) => (i * 7 + seed * 5 + (i >> 2)) % bins)
      let y!: Share
      const trial = new Trial(
        (plan, given) => {
          const c = open(plan, given(values, { ring: bits + 2, width: HEADS, layout }), { bits })
          y = thermometer(plan, c, 5)
        },
        { seed, shape },
      )
      expect(trial.complaints).toEqual([])
      expect(y.layout).toBe(layout === 'pair' ? 'row' : 'last')
      const rows = layout === 'pair' ? rowsOf(values) : [values]
      const want = rows.flatMap((row) =>
        [0, 1].flatMap((h) =>
          Array.from({ length: bins - 1 }, (_, b) =>
            BigInt(row.filter((v, i) => i % HEADS === h && v >= b + 1).length),
          ),
        ),
      )
      expect([...trial.total(y)]).toEqual(want)
    }
  })

  it.each([8, 9])('counts hundreds of positions in Z_2^%i', (ring) => {
    const span = 2 ** ring - 1
    const values = Array.from({ length: span * HEADS }, (_, i) => (i % HEADS === 0 ? 3 : i % 4))
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        const c = open(plan, given(values, { ring: 4, width: HEADS, layout: 'pair' }), { bits: 2 })
        y = thermometer(plan, c, ring)
      },
      { shape: { base: span - 1, rows: 1, serial: 0 } },
    )
    expect(trial.complaints).toEqual([])
    const odd = values.filter((_, i) => i % HEADS === 1)
    const want = [1, 2, 3].map((b) => odd.filter((v) => v >= b).length)
    expect([...trial.total(y)]).toEqual([span, span, span, ...want].map(BigInt))
  })

  it('finds the highest level in use, for every count and every mask', () => {
    const bits = 4
    const levels = 7
    const pairs = Array.from({ length: 256 * levels }, (_, i) => ({
      v: (i * 11 + (i >> 4)) % 16,
      m: BigInt((i >> 2) % 16),
    }))
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        const width = pairs.length
        const N = open(
          plan,
          given(
            pairs.map((p) => p.v),
            { ring: bits, width },
          ),
          { bits },
        )
        y = highestLevel(plan, N, width / levels)
      },
      { mask: () => BigUint64Array.from(pairs, (p) => p.m) },
    )
    expect(trial.complaints).toEqual([])
    const want = Array.from({ length: 256 }, (_, h) =>
      BigInt(pairs.slice(h * levels, (h + 1) * levels).filter((p) => p.v > 0).length),
    )
    expect([...trial.total(y)]).toEqual(want)
  })
})

it('scores end up at or below the cap of their row, within two bins of it', () => {
  const binBits = 1
  const frac = 6
  const edge = -16
  const scores = Array.from({ length: 24 }, (_, i) => ((i * 37) % 29) - 15 + i / 64)
  const fixed = scores.map((s) => Math.round(s * 2 ** frac))
  let z!: Share
  const trial = new Trial(
    (plan, given) => {
      const pair = { width: HEADS, layout: 'pair' as const, frac }
      const s = given(fixed, { ...pair, ring: 20 })
      const shifted = given(
        fixed.map((v) => v - edge * 2 ** frac),
        { ...pair, ring: 20 },
      )
      const c = open(plan, truncate(plan, shifted, frac + binBits, 4, 'unsigned'), { bits: 4 })
      const N = open(plan, thermometer(plan, c, 4), { bits: 4 })
      z = belowCap(plan, truncate(plan, s, 0, 11), highestLevel(plan, N, HEADS), {
        shift: frac + binBits,
        offset: BigInt(edge) << BigInt(frac),
      })
    },
    { shape },
  )
  expect(trial.complaints).toEqual([])
  // The ring holds a whole range below zero, and a unit of rounding above it.
  const below = Array.from(trial.total(z), (v) => (v <= 1n ? Number(v) : Number(v) - 2 ** z.ring) / 2 ** frac)
  for (const row of rowsOf(below))
    for (const h of [0, 1]) {
      const highest = Math.max(...row.filter((_, i) => i % HEADS === h))
      expect(highest).toBeLessThanOrEqual(2 ** -frac)
      expect(highest).toBeGreaterThanOrEqual(-2 * 2 ** binBits)
    }
})
