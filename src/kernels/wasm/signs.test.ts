import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KernelError } from '../error.ts'
import { createNodeKernels } from '../node/kernels.ts'
import { productKinds } from '../node/products.ts'
import { createOracleKernels } from '../oracle/kernels.ts'
import { createWasmKernels } from './kernels.ts'
import { ringSync } from './module.ts'
import { loadSigns, WasmSigns } from './signs.ts'

const oracle = createOracleKernels()
const wasm = createWasmKernels()
const ring = ringSync()

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 0x7fffn, 0x8000n, 0x7fffffffn, 0x80000000n, 1n << 63n, (1n << 64n) - 1n),
)

/** Signs by a seed, times scales of columns. */
function signs(k: number, n: number, seed: number, scale: (column: number) => number): Int8Array {
  let x = seed | 1
  return Int8Array.from({ length: k * n }, (_, i) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x & 1 ? 1 : -1) * scale(i % n)
  })
}

const lanes = (m: number, fill: (i: number) => bigint): BigUint64Array =>
  BigUint64Array.from({ length: m }, (_, i) => fill(i))

describe('products by signs', () => {
  test('equal the oracle in every ring, at all sizes of panels and bytes', () => {
    const shape = fc.record({
      m: fc.nat(3),
      k: fc.integer({ min: 1, max: 37 }),
      n: fc.integer({ min: 1, max: 37 }),
      bits: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom(16, 17, 32, 33, 64)),
      seed: fc.nat(),
      most: fc.constantFrom(1, 15, 63),
    })
    fc.assert(
      fc.property(shape, fc.infiniteStream(word), ({ m, k, n, bits, seed, most }, stream) => {
        const data = signs(k, n, seed, (j) => 1 + ((j * 7) % most))
        const a = lanes(m * k, () => stream.next().value as bigint)
        const b = wasm.load(data, k, n)
        expect(b).toBeInstanceOf(WasmSigns)
        expect(wasm.matmul(a, m, b, bits)).toEqual(oracle.matmul(a, m, oracle.load(data, k, n), bits))
        b.free()
      }),
      { numRuns: 300 },
    )
  })

  test('wrap in every ring where all terms are as large as they can be', () => {
    const [k, n] = [3072, 18]
    for (const sign of [1, -1])
      for (const data of [new Int8Array(k * n).fill(63 * sign), new Int8Array(k * n).fill(sign)]) {
        const b = wasm.load(data, k, n)
        for (let bits = 1; bits <= 64; bits++)
          for (const x of [(1n << BigInt(bits)) - 1n, 1n << BigInt(bits - 1)]) {
            const want = BigInt.asUintN(bits, x * BigInt(k) * BigInt(data[0]))
            expect([
              ...wasm.matmul(
                lanes(k, () => x),
                1,
                b,
                bits,
              ),
            ]).toEqual(new Array(n).fill(want))
          }
        b.free()
      }
  })

  test('are kept a bit each; anything else is no matrix of signs', () => {
    const data = signs(40, 33, 5, (j) => 1 + (j % 3))
    const before = ring.arena.used
    const b = loadSigns(ring, data, 40, 33) as WasmSigns
    expect(ring.arena.used - before).toBeLessThan(40 * 33)
    expect(b.plane(0, 40)).toEqual(data)
    expect(b.plane(7, 11)).toEqual(data.subarray(7 * 33, 18 * 33))
    expect(b.reach).toBe(3)
    b.free()
    b.free()
    expect(ring.arena.used).toBe(before)
    expect(() => b.plane(0, 1)).toThrow(KernelError)
    expect(loadSigns(ring, Int16Array.from(data), 40, 33)?.plane(0, 40)).toEqual(data)
    const none = (change: (d: Int8Array) => void): void => {
      const other = data.slice()
      change(other)
      expect(loadSigns(ring, other, 40, 33)).toBeUndefined()
    }
    none((d) => d.fill(0, 0, 1))
    none((d) => d.fill(0, 40 * 33 - 1))
    none((d) => d.fill(9, 34, 35))
    none((d) => d.fill(64))
    none((d) => d.fill(-128))
    expect(loadSigns(ring, new BigUint64Array(4).fill(1n), 2, 2)).toBeUndefined()
    expect(loadSigns(ring, new Int8Array(), 0, 2)).toBeUndefined()
  })

  test('freed signs, and those of others, are refused', () => {
    const b = wasm.load(Int8Array.of(1, -1), 1, 2)
    expect(() =>
      createWasmKernels().matmul(
        lanes(1, () => 1n),
        1,
        b,
        8,
      ),
    ).toThrow(/other kernels/)
    expect(() =>
      wasm.matmul(
        lanes(2, () => 1n),
        1,
        b,
        8,
      ),
    ).toThrow(/left operand/)
    b.free()
    expect(() =>
      wasm.matmul(
        lanes(1, () => 1n),
        1,
        b,
        8,
      ),
    ).toThrow(/freed/)
  })
})

test.each([undefined, 'wasm', ...productKinds] as const)(
  'many rows by signs, and by other small weights, are exact with products by %s',
  async (products) => {
    const node = createNodeKernels({ products, threads: 1 })
    const [m, k, n] = [17, 70, 19]
    for (const data of [
      signs(k, n, 3, () => 1),
      signs(k, n, 4, (j) => 1 + j),
      new Int8Array(k * n).fill(-63),
      Int8Array.from({ length: k * n }, (_, i) => ((i * 29) % 127) - 63),
      Int8Array.from({ length: k * n }, (_, i) => ((i * 29) % 129) - 64),
    ])
      for (const bits of [8, 16, 20, 27, 32, 37, 64]) {
        const top = (1n << BigInt(bits)) - 1n
        const a = lanes(m * k, (i) =>
          i % 3 === 0 ? top : BigInt.asUintN(bits, BigInt(i) * 0x9e3779b97f4a7c15n),
        )
        const want = oracle.matmul(a, m, oracle.load(data, k, n), bits)
        const b = node.load(data, k, n)
        expect(await node.matmulAsync?.(a, m, b, bits)).toEqual(want)
        b.free()
      }
  },
)
