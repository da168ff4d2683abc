import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rotatedSums } from './rotated-sums.ts'

const shapes = fc
  .record({
    skipped: fc.nat(3),
    count: fc.nat(9),
    groups: fc.integer({ min: 1, max: 4 }),
    sizeBits: fc.integer({ min: 0, max: 6 }),
  })
  .chain((s) => {
    const tables = s.skipped + s.count * s.groups
    const size = 2 ** s.sizeBits
    return fc.record({
      first: fc.constant(s.skipped),
      tables: fc.constant({ count: s.count, groups: s.groups, size }),
      values: fc.array(fc.oneof(fc.nat(2 ** 32 - 1), fc.constantFrom(0, 127, 128, 255)), {
        minLength: tables * size,
        maxLength: tables * size,
      }),
      turns: fc.array(fc.nat(size - 1), { minLength: tables, maxLength: tables }),
    })
  })

it.each([Uint8Array, Uint32Array])('adds up rotated tables of %o', (Values) => {
  fc.assert(
    fc.property(shapes, ({ first, tables, values, turns }) => {
      const { count, groups, size } = tables
      const given = Values.from(values)
      const want = new Values(groups * size)
      for (let i = 0; i < count * groups; i++)
        for (let b = 0; b < size; b++) {
          const to = (b + turns[first + i]) % size
          want[(i % groups) * size + to] += given[(first + i) * size + b]
        }
      const got = rotatedSums(given, Uint32Array.from(turns), first, tables)
      // Sums of few bytes come as longer words.
      expect(Values.from(got)).toEqual(want)
    }),
    { numRuns: 200 },
  )
})

it('reads bytes wherever they begin', () => {
  const bytes = Uint8Array.from({ length: 33 }, (_, i) => 7 * i).subarray(1)
  const got = rotatedSums(bytes, Uint32Array.of(3, 6), 0, { count: 2, groups: 1, size: 16 })
  expect([...got]).toEqual(
    Array.from({ length: 16 }, (_, b) => (bytes[(b + 13) % 16] + bytes[16 + ((b + 10) % 16)]) & 255),
  )
})
