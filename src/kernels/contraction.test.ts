import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Contraction, type ContractionTerm, contractionSizes } from './contraction.ts'
import { KernelError } from './error.ts'
import { type LaneWidth, laneArray, narrowed } from './lanes.ts'
import { createOracleKernels } from './oracle/kernels.ts'
import { createWasmKernels } from './wasm/kernels.ts'

const oracle = createOracleKernels()
const wasm = createWasmKernels()

const word = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(0n, (1n << 64n) - 1n))

const widths = fc.constantFrom<LaneWidth>(16, 32, 64)

test('contractions on WASM equal the oracle in all lanes, whole and ragged, with shared and odd heads', () => {
  const shape = fc.record({
    rows: fc.nat(9),
    seen: fc.integer({ min: 1, max: 10 }),
    step: fc.constantFrom<0 | 1>(0, 1),
    group: fc.integer({ min: 1, max: 3 }),
    kvHeads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(8, 16, 17, 32, 33, 40)),
    width: widths,
    from: fc.tuple(widths, widths),
    kind: fc.constantFrom('scores' as const, 'mix' as const),
    terms: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(shape, fc.infiniteStream(word), ({ kind, terms, group, width, from, ...s }, stream) => {
      const o: Contraction = { ...s, heads: s.kvHeads * group }
      const { left, right } = contractionSizes(kind, o)
      const lanes = (n: number, of: LaneWidth) =>
        narrowed(
          BigUint64Array.from({ length: n }, () => stream.next().value as bigint),
          of,
        )
      const operands = Array.from(
        { length: terms },
        (): ContractionTerm => [lanes(left, from[0]), lanes(right, from[1])],
      )
      const got = wasm.contract(kind, operands, o, width)
      expect(got).toEqual(oracle.contract(kind, operands, o, width))
      if (width === 64) expect(wasm.contract(kind, operands, o)).toEqual(got)
    }),
    { numRuns: 400 },
  )
})

test('lanes wrap at their own width where every sum is as large as it can be', () => {
  const o: Contraction = { rows: 6, seen: 515, step: 0, heads: 2, kvHeads: 2, headDim: 64 }
  for (const width of [16, 32] as const)
    for (const kind of ['scores', 'mix'] as const) {
      const { left, right, out } = contractionSizes(kind, o)
      const top = 2 ** (width - 1)
      for (const [l, r] of [
        [2 * top - 1, 2 * top - 1],
        [top, 2 * top - 1],
        [top - 1, top - 1],
        [top, top],
      ]) {
        const operands = [laneArray(width, left).fill(l as never), laneArray(width, right).fill(r as never)]
        const terms = [operands, operands] as unknown as ContractionTerm[]
        const n = 2n * BigInt(kind === 'scores' ? o.headDim : o.seen)
        const want = laneArray(width, out).fill(
          Number(BigInt.asUintN(width, BigInt(l) * BigInt(r) * n)) as never,
        )
        expect(wasm.contract(kind, terms, o, width)).toEqual(want)
      }
    }
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
