import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KernelError } from './error.ts'
import { type LaneWidth, narrowed } from './lanes.ts'
import { createOracleKernels } from './oracle/kernels.ts'
import { type Operand, type Program, type ProgramBuilder, program, type Value } from './program.ts'
import { lanesFor } from './wasm/demand.ts'
import { createWasmKernels } from './wasm/kernels.ts'

const oracle = createOracleKernels()
const wasm = createWasmKernels()

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 0xffffffffn, 1n << 32n, 1n << 63n, (1n << 64n) - 1n),
)
const bits = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom(8, 16, 32, 64))
/** Elements are rows of WIDTH; runs divide it. */
const WIDTH = 12

type Declare = {
  count(rows: number): number
  in(p: ProgramBuilder): Value
  bytes: boolean
  /** Of lanes: their width, and how many of their bits hold anything. */
  lanes?: readonly [width: LaneWidth, bits: number]
}
const widths = fc.constantFrom<LaneWidth>(16, 32, 64)
const operand: fc.Arbitrary<Declare> = fc.oneof(
  fc.tuple(widths, bits).map(([width, b]): Declare => {
    const own = Math.min(b, width)
    return {
      count: (rows: number) => rows * WIDTH,
      in: (p: ProgramBuilder) => p.lanes(width, own),
      bytes: false,
      lanes: [width, own],
    }
  }),
  fc.constant({ count: (rows: number) => rows * WIDTH, in: (p: ProgramBuilder) => p.lanes(), bytes: false }),
  fc.constantFrom(1, 3, 12).map((run) => ({
    count: (rows: number) => (rows * WIDTH) / run,
    in: (p: ProgramBuilder) => p.runs(run),
    bytes: false,
  })),
  fc.tuple(fc.nat(5), fc.nat(3)).map(([from, more]) => ({
    count: (rows: number) => rows * (from + WIDTH + more),
    in: (p: ProgramBuilder) => p.columns(WIDTH, from + WIDTH + more, from),
    bytes: false,
  })),
  fc.constant({ count: () => WIDTH + 2, in: (p: ProgramBuilder) => p.columns(WIDTH, 0, 2), bytes: false }),
  bits.map((b) => ({
    count: (rows: number) => Math.ceil((rows * WIDTH * b) / 8),
    in: (p: ProgramBuilder) => p.packed(b),
    bytes: true,
  })),
)

type Step = (p: ProgramBuilder, a: Value, b: Value) => Value
const shift = fc.integer({ min: 0, max: 63 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>(
    (p, a, b) => p.add(a, b),
    (p, a, b) => p.sub(a, b),
    (p, a, b) => p.mul(a, b),
    (p, a) => p.shl(a, 64),
  ),
  word.map(
    (c): Step =>
      (p, a) =>
        p.plus(a, c),
  ),
  word.map(
    (c): Step =>
      (p, a) =>
        p.from(c, a),
  ),
  bits.map(
    (k): Step =>
      (p, a) =>
        p.reduce(a, k),
  ),
  shift.map(
    (k): Step =>
      (p, a) =>
        p.shl(a, k),
  ),
  shift.map(
    (k): Step =>
      (p, a) =>
        p.shr(a, k),
  ),
)

/** `n` lanes or bytes that follow from a seed; every fifth lane is an extreme. */
function fill(n: number, isBytes: boolean, seed: number): Operand {
  const out = new BigUint64Array(n)
  let x = BigInt(seed) + 1n
  for (let i = 0; i < n; i++) {
    x = BigInt.asUintN(64, x * 0x9e3779b97f4a7c15n + 1n)
    out[i] = i % 5 === 4 ? [0n, (1n << 64n) - 1n, 1n << 63n][Number(x % 3n)] : x ^ (x >> 29n)
  }
  return isBytes ? Uint8Array.from(out, (v) => Number(v >> 56n)) : out
}

test('programs on WASM equal the oracle, over tiles and pieces', () => {
  const shape = fc.record({
    operands: fc.array(operand, { minLength: 1, maxLength: 5 }),
    steps: fc.array(fc.tuple(step, fc.nat(), fc.nat()), { maxLength: 12 }),
    outputs: fc.array(fc.tuple(fc.constantFrom('out', 'pack', 'sums'), bits, fc.nat(), widths), {
      minLength: 1,
      maxLength: 3,
    }),
    // in rings of fewer bits backends may take narrower lanes
    ring: fc.oneof(fc.constant(64), fc.integer({ min: 1, max: 34 })),
    rows: fc.oneof(fc.nat(3), fc.constantFrom(21, 22, 64, 171, 200, 350)),
    seed: fc.nat(),
  })
  fc.assert(
    fc.property(shape, ({ operands, steps, outputs, rows, seed, ring }) => {
      const p = program((b) => {
        const values = operands.map((o) => o.in(b))
        const pick = (i: number): Value => values[i % values.length]
        for (const [make, i, j] of steps) values.push(make(b, pick(i), pick(j)))
        return outputs.map(([kind, packed, i, width]) =>
          kind === 'out'
            ? b.out(b.reduce(pick(2 * values.length - 1 - (i % 3)), ring), width)
            : kind === 'pack'
              ? b.pack(pick(i), Math.min(packed, ring))
              : b.sums(b.reduce(pick(i), ring), 3),
        )
      }) as Program
      const data = operands.map((o, i) => {
        const all = fill(o.count(rows), o.bytes, seed + i)
        if (!o.lanes || !(all instanceof BigUint64Array)) return all
        const [width, own] = o.lanes
        return narrowed(
          all.map((v) => BigInt.asUintN(own, v)),
          width,
        )
      })
      expect(wasm.evaluate(p, data, rows * WIDTH)).toEqual(oracle.evaluate(p, data, rows * WIDTH))
    }),
    { numRuns: 200 },
  )
})

test('programs run in the narrowest lanes that hold what is read of their values', () => {
  const lanes = (build: Parameters<typeof program>[0]): LaneWidth => lanesFor(program(build))
  expect(lanes((p) => [p.out(p.add(p.lanes(), p.lanes()))])).toBe(64)
  expect(lanes((p) => [p.out(p.reduce(p.mul(p.lanes(), p.lanes()), 32))])).toBe(32)
  expect(lanes((p) => [p.out(p.reduce(p.mul(p.lanes(), p.lanes()), 33))])).toBe(64)
  expect(lanes((p) => [p.pack(p.sub(p.lanes(), p.packed(64)), 16)])).toBe(16)
  expect(lanes((p) => [p.pack(p.shr(p.lanes(), 4), 12)])).toBe(16)
  expect(lanes((p) => [p.pack(p.shr(p.lanes(), 5), 12)])).toBe(32)
  expect(lanes((p) => [p.out(p.shr(p.lanes(), 5))])).toBe(64)
  // what is promised of an operand ends what a shift reads
  expect(lanes((p) => [p.out(p.shr(p.lanes(64, 20), 5))])).toBe(32)
  expect(lanes((p) => [p.sums(p.packed(16), 2)])).toBe(16)
  expect(lanes((p) => [p.sums(p.from(0n, p.packed(16)), 2)])).toBe(64)
  expect(lanes((p) => [p.out(p.add(p.packed(32), p.packed(32)))])).toBe(64)
  expect(lanes((p) => [p.out(p.add(p.packed(31), p.packed(31)))])).toBe(32)
})

test('one program serves any number of elements, and its operands are left as they were', () => {
  const p = program((b) => {
    const a = b.lanes()
    return [b.out(b.add(a, a)), b.out(a), b.sums(a, 2)]
  })
  for (const n of [0, 2, 256, 2048, 2050, 5000]) {
    const a = fill(n, false, n) as BigUint64Array
    const kept = a.slice()
    const [double, same, sums] = wasm.evaluate(p, [a], n)
    expect(double).toEqual(kept.map((v) => 2n * v))
    expect(same).toEqual(kept)
    expect(sums).toEqual(kept.filter((_, i) => i % 2 === 0).map((v, i) => v + kept[2 * i + 1]))
    expect(a).toEqual(kept)
  }
})

test('operands of another length or kind are refused', () => {
  const p = program((b) => [b.pack(b.add(b.lanes(), b.packed(5)), 7)])
  for (const kernels of [oracle, wasm]) {
    expect(kernels.evaluate(p, [BigUint64Array.of(1n, 2n), new Uint8Array(2)], 2)).toHaveLength(1)
    expect(() => kernels.evaluate(p, [BigUint64Array.of(1n), new Uint8Array(2)], 2)).toThrow(KernelError)
    expect(() => kernels.evaluate(p, [BigUint64Array.of(1n, 2n), new Uint8Array(1)], 2)).toThrow(/packed/)
    expect(() => kernels.evaluate(p, [new Uint8Array(2), new Uint8Array(2)], 2)).toThrow(KernelError)
    expect(() => kernels.evaluate(p, [BigUint64Array.of(1n, 2n)], 2)).toThrow(/operands/)
  }
})
