/** Rows made ahead keep their serials together, whatever the device does. */
import { expect, it } from 'vitest'
import type { ProductDevice, Stationary } from '../../../kernels/kernels.ts'
import { widened } from '../../../kernels/lanes.ts'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import type { WeightUse } from '../plan.ts'
import { ProductPool } from './product-pool.ts'

const weights: WeightUse[] = [0, 1].map((index) => ({
  name: `w${index}`,
  index,
  k: 1,
  n: 2,
  ring: [64, 20][index],
  visibility: 'private',
}))
const key = new Uint8Array(32)
const kernels = createWasmKernels()

/** Answers each row with its serial; the calls named in `fails` reject. */
function device(fails: readonly number[]): ProductDevice {
  let calls = 0
  return {
    name: 'test',
    dispatches: 0,
    lost: new Promise(() => undefined),
    stationary: async () => ({}) as Stationary,
    async product(_, { firstSerial, rows }) {
      if (fails.includes(calls++)) throw new Error('the device is lost')
      return BigUint64Array.from({ length: 2 * rows }, (_, i) => firstSerial + BigInt(Math.floor(i / 2)))
    },
  } as ProductDevice
}

it('a device that fails leaves no gap between serials, and no row is given twice', async () => {
  // The second batch fails at its second weight.
  const pool = new ProductPool(kernels, device([3]), weights, { passes: key, stationary: key })
  await pool.fill(4)
  await expect(pool.fill(8, 4)).rejects.toThrow('lost')
  await pool.fill(8, 4)
  const seen: bigint[] = []
  for (const rows of [3, 4, 1, 5]) {
    const { first, products: made } = pool.take(rows)
    const products = await made
    for (const { name } of weights) {
      const serials = [...widened(products.get(name)!)].filter((_, i) => i % 2 === 0)
      expect(serials).toEqual(Array.from({ length: rows }, (_, r) => BigInt(first + r)))
      if (name === 'w0') seen.push(...serials)
    }
  }
  expect(new Set(seen).size).toBe(13)
})

it('a closed pool gives the device everything back, and makes nothing more', async () => {
  const own = device([])
  let kept = 0
  own.stationary = async () => {
    kept++
    return { free: () => void kept-- } as Stationary
  }
  for (let session = 0; session < 3; session++) {
    const pool = new ProductPool(kernels, own, weights, { passes: key, stationary: key })
    const filling = pool.fill(64, 1).catch((error: Error) => error)
    await pool.fill(0).catch(() => undefined)
    const closing = pool.close()
    await filling
    await closing
    await expect(pool.fill(100)).rejects.toThrow('closed')
  }
  expect(kept).toBe(0)
})
