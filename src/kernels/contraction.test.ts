import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Contraction, type ContractionTerm, contractionSizes } from './contraction.ts'
import { KernelError } from './error.ts'
import { createOracleKernels } from './oracle/kernels.ts'
import { createWasmKernels } from './wasm/kernels.ts'

const oracle = createOracleKernels()
const wasm = createWasmKernels()

const word = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(0n, (1n << 64n) - 1n))

test('contractions on WASM equal the oracle, whole and ragged, with shared and odd heads', () => {
  const shape = fc.record({
    rows: fc.nat(5),
    seen: fc.integer({ min: 1, max: 6 }),
    step: fc.constantFrom<0 | 1>(0, 1),
    group: fc.integer({ min: 1, max: 3 }),
    kvHeads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.integer({ min: 1, max: 5 }),
    kind: fc.constantFrom('scores' as const, 'mix' as const),
    terms: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(shape, fc.infiniteStream(word), ({ kind, terms, group, ...s }, stream) => {
      const o: Contraction = { ...s, heads: s.kvHeads * group }
      const { left, right } = contractionSizes(kind, o)
      const lanes = (n: number) => BigUint64Array.from({ length: n }, () => stream.next().value as bigint)
      const operands = Array.from({ length: terms }, (): ContractionTerm => [lanes(left), lanes(right)])
      expect(wasm.contract(kind, operands, o)).toEqual(oracle.contract(kind, operands, o))
    }),
    { numRuns: 300 },
  )
})

test('a contraction is the sum of its products', () => {
  // One head of two columns; the second row sees one position more.
  const o: Contraction = { rows: 2, seen: 1, step: 1, heads: 1, kvHeads: 1, headDim: 2 }
  const [q, k] = [BigUint64Array.of(1n, 2n, 3n, 4n), BigUint64Array.of(10n, 100n, 1000n, 10000n)]
  const p = BigUint64Array.of(5n, 6n, 7n)
  for (const kernels of [oracle, wasm]) {
    expect([...kernels.contract('scores', [[q, k]], o)]).toEqual([210n, 430n, 43000n])
    expect([...kernels.contract('mix', [[p, k]], o)]).toEqual([50n, 500n, 7060n, 70600n])
    expect(() => kernels.contract('mix', [[q, k]], o)).toThrow(KernelError)
    expect(() => kernels.contract('scores', [[q, q.subarray(1)]], o)).toThrow(/scores of 4 by 3/)
    expect(() => kernels.contract('scores', [], { ...o, kvHeads: 2 })).toThrow(/divide/)
  }
})
