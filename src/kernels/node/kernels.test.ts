import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KernelError } from '../error.ts'
import { createOracleKernels } from '../oracle/kernels.ts'
import { createNodeKernels } from './kernels.ts'
import { opensslKeystream } from './keystream.ts'
import { createPlaneProduct } from './planes.ts'

const oracle = createOracleKernels()
const node = createNodeKernels()

test('MatMulInteger is exact here (else matmulAsync would only be WASM)', async () => {
  await expect(createPlaneProduct(1)).resolves.toBeTypeOf('function')
})

test('byte-plane products equal the oracle, every element type and ring', async () => {
  const shape = fc.record({
    m: fc.integer({ min: 16, max: 20 }),
    k: fc.integer({ min: 1, max: 17 }),
    n: fc.integer({ min: 1, max: 13 }),
    kind: fc.constantFrom(Int8Array, Int16Array, Int32Array, BigUint64Array),
    used: fc.constantFrom(8, 16, 32, 64),
    bits: fc.integer({ min: 1, max: 64 }),
    seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    extreme: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ m, k, n, kind, used, bits, seed, extreme }) => {
      const bytes = new Uint8Array((m * k + k * n) * 8).fill(seed[0])
      if (!extreme) oracle.keystream(seed, new Uint8Array(12), 0, bytes)
      const all = new BigUint64Array(bytes.buffer)
      const a = all.slice(0, m * k)
      const wide = all.slice(m * k).map((v) => BigInt.asUintN(used, v))
      const low = Array.from(wide, (v) => Number(v & 0xffffffffn))
      const data = kind === BigUint64Array ? wide : (kind as Int32ArrayConstructor).from(low)
      const b = node.load(data, k, n)
      const got = await node.matmulAsync?.(a, m, b, bits)
      expect(got).toEqual(oracle.matmul(a, m, oracle.load(data, k, n), bits))
      expect(node.matmul(a, m, b, bits)).toEqual(got)
      b.free()
      await expect(node.matmulAsync?.(a, m, b, bits)).rejects.toThrow(KernelError)
    }),
    { numRuns: 150 },
  )
})

test('long sums of extreme values stay exact', async () => {
  const [m, k, n] = [16, 3000, 3]
  const a = new BigUint64Array(m * k).fill(0xffffffffffffffffn)
  for (const data of [new Int8Array(k * n).fill(-128), new BigUint64Array(k * n).fill(1n << 63n)]) {
    const want = oracle.matmul(a.subarray(0, k), 1, oracle.load(data, k, n), 64)
    const got = await node.matmulAsync?.(a, m, node.load(data, k, n), 64)
    expect(got?.subarray((m - 1) * n)).toEqual(want)
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
