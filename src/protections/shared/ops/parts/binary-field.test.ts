import { expect, it } from 'vitest'
import { bitsOf, fieldProduct, wordsOf } from './binary-field.ts'

/** a^(2^n). */
const squared = (a: number, n: number): number => (n === 0 ? a : squared(fieldProduct(a, a), n - 1))
const some = Array.from({ length: 20 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0)

it('is a field: x has the order that it has modulo an irreducible polynomial, and products distribute', () => {
  for (const a of some) {
    expect(fieldProduct(a, 1)).toBe(a)
    expect(fieldProduct(a, 0)).toBe(0)
    expect(squared(a, 32)).toBe(a)
    for (const b of some) {
      expect(fieldProduct(a, b)).toBe(fieldProduct(b, a))
      expect(fieldProduct(a, (b ^ 77) >>> 0)).toBe((fieldProduct(a, b) ^ fieldProduct(a, 77)) >>> 0)
    }
  }
  // Rabin's test (1980): x is in no field of 2^16 elements, which the difference's inverse shows.
  const difference = (squared(2, 16) ^ 2) >>> 0
  let inverse = 1
  for (let i = 1; i < 32; i++) inverse = fieldProduct(inverse, squared(difference, i))
  expect(fieldProduct(difference, inverse)).toBe(1)
})

it('words are what their bits were', () => {
  const words = Uint32Array.from(some)
  expect(wordsOf(bitsOf(words))).toEqual(words)
})
