import fc from 'fast-check'
import { expect, test } from 'vitest'
import { productKinds } from './products.ts'
import { leftDigits, schemeOf } from './scheme.ts'

const sizes = fc.record({
  k: fc.integer({ min: 1, max: 60_000 }),
  bits: fc.integer({ min: 1, max: 64 }),
  reach: fc.integer({ min: 2, max: 64 }),
})
const pairs = (...of: Parameters<typeof schemeOf>): number => {
  const scheme = schemeOf(...of)
  return scheme.digits.reduce((sum, _, q) => sum + leftDigits(scheme, q), 0)
}

test('digits of 7 bits never meet a pair sum beyond 16 bits, and cost little more', () => {
  fc.assert(
    fc.property(sizes, (s) => {
      const { digits } = schemeOf('u7s8', s)
      for (const { shift, left } of digits) {
        // What is left of the elements above the shift, at most a signed byte.
        const right = Math.min(7, s.reach - shift - 1)
        expect(2 * (2 ** left - 1) * 2 ** right).toBeLessThan(2 ** 15)
      }
    }),
  )
  const ring = (bits: number) => ({ k: 768, bits, reach: 64 })
  // 4 digits of a byte become 5, and 8 become 10; but a ring of 34 bits has 5 of either.
  expect([32, 64, 34].map((bits) => leftDigits(schemeOf('u7s8', ring(bits)), 0))).toEqual([5, 10, 5])
  expect([32, 64, 34].map((bits) => pairs('u8s8', ring(bits)))).toEqual([10, 36, 15])
  expect([32, 64, 34].map((bits) => pairs('u7s8', ring(bits)))).toEqual([14, 45, 15])
  // Small weights meet whole bytes: 4 products instead of 5.
  expect(pairs('u7s8', { k: 768, bits: 32, reach: 7 })).toBe(4)
})

test('sums of float64 digits stay below 2^53', () => {
  fc.assert(
    fc.property(sizes, (s) => {
      const { right, digits } = schemeOf('float64', s)
      for (const { left } of digits) expect(s.k * 2 ** (left - 1 + right - 1)).toBeLessThanOrEqual(2 ** 53)
    }),
  )
  expect(pairs('float64', { k: 768, bits: 36, reach: 64 })).toBe(3)
  expect(pairs('float64', { k: 768, bits: 58, reach: 17 })).toBe(3)
})

test('the digits of every kind reach the top of the ring or of the matrix', () => {
  fc.assert(
    fc.property(sizes, fc.constantFrom(...productKinds), (s, kind) => {
      const { right, digits } = schemeOf(kind, s)
      expect(digits.length * right).toBeGreaterThanOrEqual(Math.min(s.bits, s.reach))
      for (const [q, { shift }] of digits.entries()) expect(shift).toBe(q * right)
    }),
  )
})
