import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fft } from './fft.ts'

const complex = fc
  .integer({ min: 0, max: 7 })
  .chain((bits) => fc.array(fc.tuple(number(), number()), { minLength: 2 ** bits, maxLength: 2 ** bits }))

function number() {
  return fc.double({ min: -1, max: 1, noNaN: true })
}

it('is the sum that defines it, and its inverse undoes it', () => {
  fc.assert(
    fc.property(complex, (values) => {
      const n = values.length
      const re = Float64Array.from(values, ([x]) => x)
      const im = Float64Array.from(values, ([, y]) => y)
      fft(re, im)
      for (let k = 0; k < n; k++) {
        let x = 0
        let y = 0
        values.forEach(([a, b], j) => {
          const angle = (-2 * Math.PI * j * k) / n
          x += a * Math.cos(angle) - b * Math.sin(angle)
          y += a * Math.sin(angle) + b * Math.cos(angle)
        })
        expect(Math.abs(re[k] - x) + Math.abs(im[k] - y)).toBeLessThan(1e-11)
      }
      fft(re, im, true)
      values.forEach(([a, b], j) => {
        expect(Math.abs(re[j] - a) + Math.abs(im[j] - b)).toBeLessThan(1e-13)
      })
    }),
    { numRuns: 40 },
  )
})

it('stays exact to rounding over long vectors', () => {
  const n = 2 ** 16
  const re = Float64Array.from({ length: n }, (_, i) => ((i * 7919) % 1000) / 1000)
  const im = new Float64Array(n)
  const original = re.slice()
  fft(re, im)
  fft(re, im, true)
  expect(re.reduce((worst, x, i) => Math.max(worst, Math.abs(x - original[i])), 0)).toBeLessThan(1e-14)
})

it('refuses other lengths', () => {
  expect(() => fft(new Float64Array(6), new Float64Array(6))).toThrow(RangeError)
  expect(() => fft(new Float64Array(4), new Float64Array(8))).toThrow(RangeError)
  expect(() => fft(new Float64Array(0), new Float64Array(0))).toThrow(RangeError)
})
