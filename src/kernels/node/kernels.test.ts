import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exactRuntime, saturatingRuntime } from '../../../test/support/kernels/runtimes.ts'
import { KernelError } from '../error.ts'
import type { Kernels } from '../kernels.ts'
import { createOracleKernels } from '../oracle/kernels.ts'
import { type ProductOptions, productChoices } from './choice.ts'
import { createNodeKernels } from './kernels.ts'
import { opensslKeystream } from './keystream.ts'

const oracle = createOracleKernels()
const node = createNodeKernels()

/** Every kind in exact arithmetic, those that are exact everywhere on a processor that saturates, and this machine's own. */
const all: [string, ProductOptions][] = [
  ...productChoices.map((products): [string, ProductOptions] => [
    products,
    { products, runtime: exactRuntime },
  ]),
  ['u7s8 where pairs saturate', { products: 'u7s8', runtime: saturatingRuntime }],
  ['u7s8 by ONNX Runtime', { products: 'u7s8', threads: 1 }],
  ['float64 by ONNX Runtime', { products: 'float64', threads: 1 }],
  ['what this machine chooses', {}],
]

test.each(all)('products equal the oracle, every element type and ring: %s', async (_, options) => {
  const node = createNodeKernels(options)
  const shape = fc.record({
    m: fc.integer({ min: 16, max: 20 }),
    k: fc.integer({ min: 1, max: 17 }),
    n: fc.integer({ min: 1, max: 13 }),
    kind: fc.constantFrom(Int8Array, Int16Array, Int32Array, BigUint64Array),
    used: fc.integer({ min: 1, max: 64 }),
    bits: fc.integer({ min: 1, max: 64 }),
    seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    extreme: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ m, k, n, kind, used, bits, seed, extreme }) => {
      const bytes = new Uint8Array((m * k + k * n) * 8).fill(seed[0])
      if (!extreme) oracle.keystream(seed, new Uint8Array(12), 0, bytes)
      const words = new BigUint64Array(bytes.buffer)
      const a = words.slice(0, m * k)
      const isSigned = seed[1] % 2 === 1
      const wide = words.slice(m * k).map((v) => {
        return isSigned ? BigInt.asUintN(64, BigInt.asIntN(used, v)) : BigInt.asUintN(used, v)
      })
      const low = Array.from(wide, (v) => Number(v & 0xffffffffn))
      const data = kind === BigUint64Array ? wide : (kind as Int32ArrayConstructor).from(low)
      const b = node.load(data, k, n)
      // Digits that the first product left must serve the second.
      for (const ring of [bits, 64, 9])
        expect(await node.matmulAsync?.(a, m, b, ring)).toEqual(
          oracle.matmul(a, m, oracle.load(data, k, n), ring),
        )
      expect(node.matmul(a, m, b, bits)).toEqual(await node.matmulAsync?.(a, m, b, bits))
      b.free()
      await expect(node.matmulAsync?.(a, m, b, bits)).rejects.toThrow(KernelError)
    }),
    { numRuns: 60 },
  )
})

async function expectExact(
  node: Kernels,
  a: BigUint64Array,
  data: Int8Array | Int16Array | BigUint64Array,
  k: number,
  n: number,
) {
  const m = a.length / k
  for (const bits of [64, 58, 36]) {
    const want = oracle.matmul(a.subarray(0, k), 1, oracle.load(data, k, n), bits)
    const b = node.load(data, k, n)
    const got = await node.matmulAsync?.(a, m, b, bits)
    expect(got?.subarray((m - 1) * n)).toEqual(want)
    b.free()
  }
}

test.each(all)('long sums of extreme values stay exact: %s', async (_, options) => {
  const node = createNodeKernels(options)
  const [m, k, n] = [16, options.runtime ? 301 : 3001, 2]
  // All digits at their highest, at their lowest, and at the middle of their ranges.
  for (const element of [0xffffffffffffffffn, 0x7f7f7f7f7f7f7f7fn, 0x8080808080808080n, 1n << 63n]) {
    const a = new BigUint64Array(m * k).fill(element)
    await expectExact(node, a, new Int8Array(k * n).fill(-128), k, n)
    await expectExact(node, a, new Int8Array(k * n).fill(-64), k, n)
    await expectExact(node, a, new Int16Array(k * n).fill(0x3fff), k, n)
    for (const weight of [1n << 63n, 0x7f7f7f7f7f7f7f7fn, 0x8080808080808080n, 0xffffffffffffffffn])
      await expectExact(node, a, new BigUint64Array(k * n).fill(weight), k, n)
  }
})

test('digits beyond their budget are made anew for each product, and room is made for others', async () => {
  const [m, k, n] = [16, 40, 3]
  const data = (seed: number) => Int16Array.from({ length: k * n }, (_, i) => (seed * i * 977) % 30000)
  const a = BigUint64Array.from({ length: m * k }, (_, i) =>
    BigInt.asUintN(64, BigInt(i) * 0x9e3779b97f4a7c15n),
  )
  // Room for none of them, or for the two planes of one.
  for (const digitBytes of [0, 2 * k * n]) {
    const own = createNodeKernels({ products: 'u7s8', runtime: exactRuntime, digitBytes })
    for (const seed of [1, 2, 3]) {
      const loaded = own.load(data(seed), k, n)
      const other = own.load(data(seed + 9), k, n)
      const want = [data(seed), data(seed + 9)].map((d) => oracle.matmul(a, m, oracle.load(d, k, n), 40))
      // At once, so that memory which one of them uses is not the other's.
      const made = [loaded, other, loaded].map((b) => own.matmulAsync?.(a, m, b, 40))
      expect(await Promise.all(made)).toEqual([want[0], want[1], want[0]])
      loaded.free()
      other.free()
    }
  }
})

test('keystream equals the oracle through OpenSSL and WASM', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const offset = fc.oneof(fc.nat(1000), fc.constant(2 ** 32 - 700)).map((block) => block * 64)
  fc.assert(
    fc.property(bytes(32), bytes(12), offset, fc.nat(40_000), (key, nonce, at, length) => {
      const [got, direct, want] = [0, 0, 0].map(() => new Uint8Array(length))
      node.keystream(key, nonce, at, got)
      opensslKeystream(key, nonce, at, direct)
      oracle.keystream(key, nonce, at, want)
      expect(Buffer.compare(got, want)).toBe(0)
      expect(Buffer.compare(direct, want)).toBe(0)
    }),
    { numRuns: 40 },
  )
})
