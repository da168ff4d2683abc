import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KernelError } from '../error.ts'
import type { Kernels, MatrixData } from '../kernels.ts'
import { narrowed } from '../lanes.ts'
import { opensslKeystream } from '../node/keystream.ts'
import { createOracleKernels } from '../oracle/kernels.ts'
import { createWasmKernels, createWasmKernelsAsync } from './kernels.ts'

const oracle = createOracleKernels()
const wasm: Kernels = createWasmKernels()
/** Values at the edges of every limb, with random ones between. */
const EDGES = [0n, 1n, 0x7fn, 0x80n, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn]
const WIDE = [
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffff80000000n,
  0xffffffffffff8000n,
  0xffffffffffffffffn,
]
const word = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(...EDGES, ...WIDE))
const words = (length: number) => fc.array(word, { minLength: length, maxLength: length })
const bits = fc.integer({ min: 1, max: 64 })

function element(kind: number): fc.Arbitrary<bigint> {
  const half = 1n << BigInt(8 * kind - 1)
  return fc.oneof(fc.bigInt({ min: -half, max: half - 1n }), fc.constantFrom(-half, half - 1n, 0n, -1n))
}

function matrixData(kind: number, values: bigint[]): MatrixData {
  if (kind === 1) return Int8Array.from(values, Number)
  if (kind === 2) return Int16Array.from(values, Number)
  if (kind === 4) return Int32Array.from(values, Number)
  return BigUint64Array.from(values, (v) => BigInt.asUintN(64, v))
}

describe('wasm kernels equal the oracle', () => {
  test('scattered blocks', () => {
    const u32 = fc.integer({ min: 0, max: 0xffffffff })
    // noble, which the oracle has its blocks from, does not give the one before the counter would wrap
    const place = fc.tuple(fc.integer({ min: 0, max: 0xfffffffe }), u32, u32)
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        u32,
        fc.array(place, { maxLength: 11 }),
        (key, stream, places) => {
          const flat = Uint32Array.from(places.flat())
          expect(wasm.blocks(key, stream, flat)).toEqual(oracle.blocks(key, stream, flat))
        },
      ),
      { numRuns: 30 },
    )
  })

  test('matmul, every element type and ring', () => {
    const shape = fc.record({
      m: fc.integer({ min: 0, max: 4 }),
      k: fc.integer({ min: 0, max: 19 }),
      n: fc.integer({ min: 0, max: 21 }),
      kind: fc.constantFrom(1, 2, 4, 8),
      // how wide u64 data really is: exercises the narrow storage with its bias
      used: fc.constantFrom(8, 16, 32, 44, 47, 48, 64),
      bits,
    })
    const arb = shape.chain((s) =>
      fc.tuple(
        fc.constant(s),
        words(s.m * s.k),
        fc.array(element(s.kind), { minLength: s.k * s.n, maxLength: s.k * s.n }),
      ),
    )
    fc.assert(
      fc.property(arb, ([s, a, values]) => {
        const data = matrixData(s.kind, s.kind === 8 ? values.map((v) => BigInt.asUintN(s.used, v)) : values)
        const left = BigUint64Array.from(a)
        const b = wasm.load(data, s.k, s.n)
        const want = oracle.matmul(left, s.m, oracle.load(data, s.k, s.n), s.bits)
        expect(wasm.matmul(left, s.m, b, s.bits)).toEqual(want)
        b.free()
      }),
      { numRuns: 600 },
    )
  })

  test('elements are read as they were loaded, over several pieces', () => {
    for (const kind of [1, 2, 4, 6, 8]) {
      const [k, n] = [40, 1000]
      const values = Array.from({ length: k * n }, (_, i) =>
        BigInt.asIntN(8 * kind, 0x9e3779b97f4a7c15n * BigInt(i)),
      )
      const data = matrixData(kind, values)
      const [b, want] = [wasm, oracle].map((kernels) => kernels.load(data, k, n))
      for (const [from, rows] of [
        [0, k],
        [3, 37],
        [39, 1],
        [7, 0],
      ])
        expect(wasm.read(b, from, rows)).toEqual(oracle.read(want, from, rows))
      expect(() => wasm.read(b, 1, k)).toThrow(KernelError)
      b.free()
      expect(() => wasm.read(b, 0, 1)).toThrow(KernelError)
    }
    const signs = wasm.load(Int8Array.of(3, -2, -3, 2), 2, 2)
    expect(wasm.read(signs, 1, 1)).toEqual(BigUint64Array.of(BigInt.asUintN(64, -3n), 2n))
  })

  test('matmul, long sums of extreme values stay exact', () => {
    // What narrow limbs are at their ends: all of them, and every other.
    const ends = [0x800n, 0x7ffn, 0x800800n, 0x7ff800n, 0x800800800n, -0x800800800n, 0x8000_8000_7ff7ff7ffn]
    for (const kind of [1, 2, 4, 6, 8]) {
      const half = 1n << BigInt(8 * kind - 1)
      const k = 1500
      const data = matrixData(
        kind,
        Array.from({ length: k * 9 }, () => -half),
      )
      for (const value of [...EDGES, ...WIDE, 0x8000800080008000n, 0x7fff7fff7fff8000n, ...ends]) {
        const a = new BigUint64Array(k).fill(value)
        const b = wasm.load(data, k, 9)
        for (const width of [16, 32, 44, 45, 64]) {
          const want = BigInt.asUintN(width, BigInt(k) * value * -half)
          expect([...wasm.matmul(a, 1, b, width)]).toEqual(Array(9).fill(want))
        }
        b.free()
      }
    }
  })

  test('pack and unpack at every width', () => {
    fc.assert(
      fc.property(bits, fc.array(word, { maxLength: 80 }), (width, list) => {
        const values = BigUint64Array.from(list)
        const bytes = wasm.pack(values, width)
        expect(bytes).toEqual(oracle.pack(values, width))
        const back = wasm.unpack(bytes, width, list.length)
        expect([...back]).toEqual(list.map((v) => BigInt.asUintN(width, v)))
        expect(back).toEqual(oracle.unpack(bytes, width, list.length))
      }),
      { numRuns: 500 },
    )
  })

  test('packed differences at every width, over several pieces', () => {
    const width = fc.constantFrom(1, 2, 4, 8)
    fc.assert(
      fc.property(
        bits,
        width,
        fc.array(word, { maxLength: 80 }),
        fc.infiniteStream(word),
        (b, w, list, more) => {
          const bytes = new Uint8Array(BigUint64Array.from(list, () => more.next().value as bigint).buffer)
          const keystream = bytes.subarray(0, list.length * w)
          for (const lanes of [16, 32, 64] as const) {
            if (b > lanes) continue
            const values = narrowed(BigUint64Array.from(list), lanes)
            expect(wasm.packDifference(values, keystream, b)).toEqual(
              oracle.packDifference(values, keystream, b),
            )
          }
        },
      ),
      { numRuns: 300 },
    )
    const values = BigUint64Array.from({ length: 9001 }, (_, i) => BigInt(i) * 0x9e3779b97f4a7c15n)
    const keystream = Uint8Array.from({ length: 9001 * 2 }, (_, i) => i * 151)
    const want = values.map((v, i) =>
      BigInt.asUintN(64, v - BigInt(keystream[2 * i] + 256 * keystream[2 * i + 1])),
    )
    for (const lanes of [16, 32, 64] as const)
      expect(wasm.packDifference(narrowed(values, lanes), keystream, 13)).toEqual(wasm.pack(want, 13))
    expect(() => wasm.packDifference(narrowed(values, 16), keystream, 17)).toThrow(/16 bits do not hold 17/)
  })

  test('polynomials at every point, to the last bit', () => {
    const shape = fc.record({
      count: fc.nat(9),
      n: fc.integer({ min: 1, max: 9 }),
      groups: fc.integer({ min: 1, max: 3 }),
      spare: fc.nat(2),
      shift: fc.integer({ min: 0, max: 53 }),
      scale: fc.integer({ min: 0, max: 50 }),
    })
    const arb = shape.chain((s) =>
      fc.tuple(fc.constant(s), words(s.count), words(s.count * (s.groups * s.n + s.spare))),
    )
    fc.assert(
      fc.property(arb, ([s, points, coefficients]) => {
        const [at, c] = [BigUint64Array.from(points), BigUint64Array.from(coefficients)]
        expect(wasm.polynomials(at, c, s)).toEqual(oracle.polynomials(at, c, s))
      }),
      { numRuns: 400 },
    )
    // Every place of a short segment, halves among them: at scale 1 half of the basis is rounded from a half.
    const places = BigUint64Array.from({ length: 64 }, (_, i) => BigInt(i))
    const ones = new BigUint64Array(64 * 5).fill(1n)
    for (const scale of [0, 1, 2, 20]) {
      const o = { n: 5, groups: 1, shift: 6, scale }
      expect(wasm.polynomials(places, ones, o)).toEqual(oracle.polynomials(places, ones, o))
    }
  })

  test('the last block of a keystream is OpenSSL’s', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 7 * i)
    const nonce = Uint8Array.from({ length: 12 }, (_, i) => 11 * i)
    const [want, got] = [new Uint8Array(64), new Uint8Array(64)]
    opensslKeystream(key, nonce, 2 ** 38 - 64, want)
    wasm.keystream(key, nonce, 2 ** 38 - 64, got)
    expect(got).toEqual(want)
    const [stream, a, b] = new Uint32Array(nonce.buffer)
    expect(wasm.blocks(key, stream, Uint32Array.of(0xffffffff, a, b))).toEqual(want)
  })

  test('keystream at any offset and length', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const offset = fc.oneof(fc.nat(1000), fc.constant(2 ** 32 - 12)).map((block) => block * 64)
    fc.assert(
      fc.property(bytes(32), bytes(12), offset, fc.nat(700), (key, nonce, at, length) => {
        const got = new Uint8Array(length)
        const want = new Uint8Array(length)
        wasm.keystream(key, nonce, at, got)
        oracle.keystream(key, nonce, at, want)
        expect(got).toEqual(want)
      }),
      { numRuns: 200 },
    )
  })

  test('a matrix expanded from the middle of a keystream equals the loaded words', () => {
    const shape = fc.record({
      first: fc.nat(40),
      k: fc.nat(20),
      n: fc.nat(20),
      bits,
      key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    })
    fc.assert(
      fc.property(shape, ({ first, k, n, bits, key }) => {
        const nonce = new Uint8Array(12)
        const stream = new Uint8Array((first + k * n) * 8)
        oracle.keystream(key, nonce, 0, stream)
        const data = new BigUint64Array(stream.buffer).slice(first)
        const a = new BigUint64Array(2 * k).map((_, i) => BigInt(i + 1) * 0x9e3779b97f4a7c15n)
        const own = wasm.expand?.(key, nonce, first, k, n, bits)
        if (!own) throw new Error('no expand')
        expect(wasm.matmul(a, 2, own, bits)).toEqual(oracle.matmul(a, 2, oracle.load(data, k, n), bits))
        own.free()
      }),
      { numRuns: 150 },
    )
  })

  test('a long keystream equals its pieces', () => {
    const key = new Uint8Array(32).fill(7)
    const nonce = new Uint8Array(12).fill(9)
    const whole = new Uint8Array(200_000)
    wasm.keystream(key, nonce, 128, whole)
    for (let at = 0; at < whole.length; at += 64_000) {
      const piece = new Uint8Array(Math.min(64_000, whole.length - at))
      wasm.keystream(key, nonce, 128 + at, piece)
      expect(Buffer.compare(piece, whole.subarray(at, at + piece.length))).toBe(0)
    }
  })
})

describe('wasm kernels refuse', () => {
  test('freed and foreign matrices', () => {
    const b = wasm.load(Int8Array.of(1, 2), 2, 1)
    b.free()
    b.free()
    expect(() => wasm.matmul(BigUint64Array.of(1n, 1n), 1, b, 64)).toThrow(KernelError)
    const foreign = createWasmKernels().load(Int8Array.of(1), 1, 1)
    expect(() => wasm.matmul(BigUint64Array.of(1n), 1, foreign, 64)).toThrow(/other kernels/)
  })

  test('bad shapes, widths and offsets', () => {
    expect(() => wasm.load(Int8Array.of(1), 2, 1)).toThrow(KernelError)
    expect(() => wasm.pack(BigUint64Array.of(1n), 65)).toThrow(KernelError)
    expect(() => wasm.unpack(new Uint8Array(2), 7, 3)).toThrow(KernelError)
    expect(() => wasm.keystream(new Uint8Array(32), new Uint8Array(12), 32, new Uint8Array(1))).toThrow(
      KernelError,
    )
    expect(() => wasm.packDifference(BigUint64Array.of(1n, 2n), new Uint8Array(6), 9)).toThrow(KernelError)
    expect(() =>
      wasm.polynomials(BigUint64Array.of(1n), BigUint64Array.of(1n), {
        n: 2,
        groups: 1,
        shift: 3,
        scale: 4,
      }),
    ).toThrow(KernelError)
    const last = 2 ** 38 - 64
    expect(() => wasm.keystream(new Uint8Array(32), new Uint8Array(12), last, new Uint8Array(65))).toThrow(
      KernelError,
    )
  })
})

test('the asynchronous constructor gives the same kernels', async () => {
  const other = await createWasmKernelsAsync()
  expect(other.pack(BigUint64Array.of(5n, 6n), 3)).toEqual(wasm.pack(BigUint64Array.of(5n, 6n), 3))
})
