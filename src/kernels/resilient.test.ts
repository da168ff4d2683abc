import { expect, test } from 'vitest'
import { KernelError } from './error.ts'
import type { ProductDevice, ProductSpec } from './kernels.ts'
import { createOracleProductDevice } from './oracle/device.ts'
import { resilientDevice } from './resilient.ts'

const key = Uint8Array.from({ length: 32 }, (_, i) => i)
const stationary = { key, nonce: new Uint8Array(12), k: 3, n: 2, bits: 40 }
const product: ProductSpec = { key: key.slice().reverse(), firstSerial: 5n, rows: 2, a: 1, c: 2 }

/** Works until its `failAfter`-th product, then is lost. */
function mortal(failAfter: number): ProductDevice {
  const inner = createOracleProductDevice()
  let made = 0
  return {
    name: 'mortal',
    dispatches: 7,
    lost: new Promise(() => undefined),
    stationary: (spec) => inner.stationary(spec),
    async product(f, spec) {
      if (made++ >= failAfter) throw new KernelError('the GPU was lost: test')
      return inner.product(f, spec)
    },
  }
}

test('a lost device is replaced once and the product repeated with the same bytes', async () => {
  const oracle = createOracleProductDevice()
  const expected = await oracle.product(await oracle.stationary(stationary), product)
  const losses: string[] = []
  const device = resilientDevice(
    mortal(1),
    async () => createOracleProductDevice(),
    (reason) => losses.push(reason),
  )
  const f = await device.stationary(stationary)
  expect(await device.product(f, product)).toEqual(expected)
  expect(device.name).toBe('mortal')
  expect(await device.product(f, product)).toEqual(expected)
  expect(await device.product(f, product)).toEqual(expected)
  expect(device.name).not.toBe('mortal')
  expect(device.dispatches).toBeGreaterThanOrEqual(7)
  expect(losses).toEqual(['the GPU was lost: test'])
})

test('a failure of the replacement is reported', async () => {
  const device = resilientDevice(
    mortal(0),
    async () => mortal(0),
    () => undefined,
  )
  const f = await device.stationary(stationary)
  await expect(device.product(f, product)).rejects.toThrow(KernelError)
})
