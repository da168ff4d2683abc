import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KernelError } from '../error.ts'
import { createOracleKernels } from '../oracle/kernels.ts'
import { createWasmKernels } from './kernels.ts'

const oracle = createOracleKernels()
const wasm = createWasmKernels()

test('transformed samples equal the oracle to the last bit', () => {
  // Halves, and what is next to them, among values of all magnitudes.
  const value = fc.oneof(
    fc.double({ min: -(2 ** 20), max: 2 ** 20, noNaN: true }),
    fc.integer({ min: -9, max: 9 }).map((v) => v / 2),
    fc.constantFrom(0.49999999999999994, -0.49999999999999994, 0, -0, 2 ** 52 + 1, -(2 ** 52) - 1),
  )
  const arb = fc
    .record({ n: fc.integer({ min: 1, max: 9 }), count: fc.nat(9), shift: fc.nat(8) })
    .chain((s) =>
      fc.record({
        s: fc.constant(s),
        samples: fc.array(value, { minLength: s.n * s.count, maxLength: s.n * s.count }),
        matrix: fc.array(fc.oneof(fc.double({ min: -2, max: 2, noNaN: true }), fc.constantFrom(0, 1)), {
          minLength: s.n ** 2,
          maxLength: s.n ** 2,
        }),
      }),
    )
  fc.assert(
    fc.property(arb, ({ s, samples, matrix }) => {
      const args = [Float64Array.from(samples), Float64Array.from(matrix), s.n, 2 ** s.shift] as const
      const want = oracle.transformed(...args)
      expect(wasm.transformed(...args)).toEqual(want)
    }),
    { numRuns: 400 },
  )
})

test('each sample is rounded as Math.round does', () => {
  const samples = Float64Array.from({ length: 4001 }, (_, i) => (i - 2000) / 4)
  const want = BigUint64Array.from(samples, (v) => BigInt.asUintN(64, BigInt(Math.round(v))))
  expect(wasm.transformed(samples, Float64Array.of(1), 1, 1)).toEqual(want)
})

test.each([oracle, wasm])('shapes that do not fit are refused ($name)', (kernels) => {
  const matrix = new Float64Array(4)
  expect(() => kernels.transformed(new Float64Array(3), matrix, 2, 1)).toThrow(KernelError)
  expect(() => kernels.transformed(new Float64Array(3), matrix, 3, 1)).toThrow(KernelError)
})
