import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exactRuntime } from '../../../test/support/kernels/runtimes.ts'
import { ByteBudget } from '../budget.ts'
import { KernelError } from '../error.ts'
import type { ProductSpec, StationarySpec } from '../kernels.ts'
import { createOracleProductDevice } from '../oracle/device.ts'
import { createCpuProductDevice } from '../wasm/device.ts'
import { createWasmKernels } from '../wasm/kernels.ts'
import { createNodeProductDevice } from './device.ts'
import { createNodeKernels } from './kernels.ts'
import { schemeOf } from './scheme.ts'

const oracle = createOracleProductDevice()
const kernels = createNodeKernels()
// Two kinds that are exact on every processor.
const keeping = createNodeProductDevice(kernels, { products: 'u7s8' })
const remaking = createNodeProductDevice(kernels, { products: 'float64', cacheBytes: 0 })
const others = [
  {},
  { products: 'u8s8', runtime: exactRuntime },
  { products: 's8s8', runtime: exactRuntime },
] as const
const devices = [keeping, remaking, ...others.map((o) => createNodeProductDevice(kernels, o))]

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const specs = fc
  .record({
    key: bytes(32),
    nonce: bytes(12),
    k: fc.integer({ min: 0, max: 33 }),
    n: fc.integer({ min: 1, max: 19 }),
    bits: fc.integer({ min: 1, max: 64 }),
  })
  .chain((f) =>
    fc.tuple(
      fc.constant(f),
      fc.record({
        key: bytes(32),
        firstSerial: fc.bigInt({ min: 0n, max: (1n << 64n) - 20n }),
        rows: fc.oneof(fc.nat(3), fc.integer({ min: 15, max: 19 })),
        a: fc.nat(2 ** 31),
        c: fc.nat(1000),
      }),
    ),
  )

test('products of few and of many rows equal the oracle, with F kept and remade', async () => {
  await fc.assert(
    fc.asyncProperty(specs, async ([f, spec]) => {
      const want = await oracle.product(await oracle.stationary(f), spec)
      for (const device of devices) {
        const own = await device.stationary(f)
        for (let time = 0; time < 2; time++) expect(await device.product(own, spec)).toEqual(want)
        own.free()
      }
    }),
    { numRuns: 60 },
  )
})

const F: StationarySpec = {
  key: new Uint8Array(32).fill(1),
  nonce: new Uint8Array(12),
  k: 140,
  n: 51_001,
  bits: 61,
}
const SPEC: ProductSpec = {
  key: new Uint8Array(32).fill(2),
  firstSerial: 5n,
  rows: 16,
  a: 1,
  c: 3,
}

/** Many words compare sooner as bytes. */
const isSame = (a: BigUint64Array, b: BigUint64Array): boolean =>
  Buffer.compare(new Uint8Array(a.buffer), new Uint8Array(b.buffer)) === 0

test('several tiles give the product of one, before and after products of few rows', async () => {
  const few = { ...SPEC, rows: 3, firstSerial: 90n }
  const cpu = createCpuProductDevice(createWasmKernels())
  const reference = await cpu.stationary(F)
  const want = await cpu.product(reference, SPEC)
  const wantFew = await cpu.product(reference, few)
  for (const products of ['u7s8', 'float64'] as const)
    for (const cacheBytes of [0, 1 << 28]) {
      const device = createNodeProductDevice(kernels, { products, cacheBytes })
      const { k, bits } = F
      const { length } = schemeOf(products, { k, bits, reach: 64 }).digits
      const f = await device.stationary(F)
      expect(isSame(await device.product(f, SPEC), want)).toBe(true)
      expect(device.dispatches).toBeGreaterThanOrEqual(3 * length)
      expect(isSame(await device.product(f, few), wantFew)).toBe(true)
      expect(isSame(await device.product(f, SPEC), want)).toBe(true)
      f.free()
    }
})

test('products at the same time do not disturb each other', async () => {
  const small = { ...F, k: 40, n: 50 }
  const f = await keeping.stationary(small)
  const serials = [1n, 100n, 200n]
  const all = await Promise.all(serials.map((firstSerial) => keeping.product(f, { ...SPEC, firstSerial })))
  for (const [i, firstSerial] of serials.entries())
    expect(all[i]).toEqual(await keeping.product(f, { ...SPEC, firstSerial }))
  f.free()
})

test('freed operands and malformed specs are refused', async () => {
  const f = await keeping.stationary(F)
  await expect(keeping.product(f, { ...SPEC, c: 2 ** 32 })).rejects.toThrow(/stream id/)
  await expect(keeping.product(f, { ...SPEC, rows: -1 })).rejects.toThrow(KernelError)
  await expect(keeping.product(f, { ...SPEC, a: -1 })).rejects.toThrow(/stream id/)
  await expect(remaking.product(f, SPEC)).rejects.toThrow(KernelError)
  await expect(keeping.product(await oracle.stationary(F), SPEC)).rejects.toThrow(KernelError)
  const running = keeping.product(f, SPEC)
  f.free()
  f.free()
  await expect(running).rejects.toThrow(/freed/)
  await expect(keeping.product(f, SPEC)).rejects.toThrow(/live/)
})

test('a budget gives no more than it has', () => {
  const budget = new ByteBudget(10)
  expect(budget.take(7)).toBe(true)
  expect(budget.take(4)).toBe(false)
  expect(budget.take(3)).toBe(true)
  budget.give(7)
  expect([budget.take(8), budget.take(7)]).toEqual([false, true])
})
