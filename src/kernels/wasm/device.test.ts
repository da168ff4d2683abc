import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { KernelError } from '../error.ts'
import type { ProductSpec, StationarySpec } from '../kernels.ts'
import { createOracleProductDevice } from '../oracle/device.ts'
import { createCpuProductDevice } from './device.ts'
import { createWasmKernels } from './kernels.ts'

const oracle = createOracleProductDevice()
const kernels = createWasmKernels()
const keeping = createCpuProductDevice(kernels)
const remaking = createCpuProductDevice(kernels, { cacheBytes: 0 })

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
        firstSerial: fc.bigInt({ min: 0n, max: (1n << 64n) - 4n }),
        rows: fc.nat(3),
        a: fc.nat(2 ** 31),
        c: fc.nat(1000),
      }),
    ),
  )

test('cached and tile-wise products equal the oracle', async () => {
  await fc.assert(
    fc.asyncProperty(specs, async ([f, spec]) => {
      const want = await oracle.product(await oracle.stationary(f), spec)
      for (const device of [keeping, remaking]) {
        const own = await device.stationary(f)
        expect(await device.product(own, spec)).toEqual(want)
        own.free()
      }
    }),
    { numRuns: 150 },
  )
})

const F: StationarySpec = {
  key: new Uint8Array(32).fill(1),
  nonce: new Uint8Array(12),
  k: 700,
  n: 1001,
  bits: 37,
}
const SPEC: ProductSpec = {
  key: new Uint8Array(32).fill(2),
  firstSerial: 5n,
  rows: 2,
  a: 1,
  c: 3,
}

test('several tiles give the same product as one', async () => {
  const before = remaking.dispatches
  const [a, b] = [await keeping.stationary(F), await remaking.stationary(F)]
  expect(await remaking.product(b, SPEC)).toEqual(await keeping.product(a, SPEC))
  expect(remaking.dispatches - before).toBeGreaterThan(2)
  a.free()
  b.free()
})

test('freed operands and malformed specs are refused', async () => {
  const f = await keeping.stationary(F)
  await expect(keeping.product(f, { ...SPEC, c: 2 ** 32 })).rejects.toThrow(/stream id/)
  await expect(keeping.product(f, { ...SPEC, rows: -1 })).rejects.toThrow(KernelError)
  await expect(keeping.product(f, { ...SPEC, a: -1 })).rejects.toThrow(/stream id/)
  await expect(remaking.product(await oracle.stationary(F), SPEC)).rejects.toThrow(KernelError)
  // A clock by which every tile takes long enough to give way after it.
  let clock = 0
  const now = vi.spyOn(performance, 'now').mockImplementation(() => {
    clock += 1000
    return clock
  })
  const running = remaking.stationary(F).then((own) => {
    const product = remaking.product(own, SPEC)
    own.free()
    return product
  })
  await expect(running).rejects.toThrow(/freed/)
  now.mockRestore()
  f.free()
  await expect(keeping.product(f, SPEC)).rejects.toThrow(/live/)
})
