import { expect, it } from 'vitest'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import type { WeightUse } from '../plan.ts'
import { Prg } from '../prg.ts'
import { sub } from '../ring.ts'
import { difference, packedDifference } from './stationary.ts'

const kernels = createWasmKernels()
const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const use = (ring: number): WeightUse => ({ name: 'w', index: 0, k: 4, n: 8, ring, visibility: 'private' })
/** -F alone. */
const mask = (index: number, ring = 64, of = key(1)): string =>
  String(difference(kernels, of, index, use(ring), kernels.load(new Int16Array(32), 4, 8)))

it('no two weights of a model, and no two keys, share a stationary mask', () => {
  const masks = [mask(0), mask(1), mask(2), mask(0, 64, key(2))]
  expect(new Set(masks).size).toBe(masks.length)
  expect(mask(1)).toBe(masks[1])
})

it('a weight under its mask is reduced in its ring', () => {
  const b = difference(kernels, key(1), 0, use(20), kernels.load(new Int16Array(32).fill(-3), 4, 8))
  for (const v of b) expect(v >> 20n).toBe(0n)
})

it('however small a weight is, its mask fills the ring', () => {
  const [ring, parts] = [20, 4]
  const w = kernels.load(new Int16Array(2048).fill(1), 256, 8)
  const counts = new Array<number>(parts).fill(0)
  for (const v of difference(kernels, key(1), 0, { ...use(ring), k: 256 }, w))
    counts[Number(v) >> (ring - 2)]++
  // Eight standard deviations of a fair share.
  for (const count of counts) expect(Math.abs(count - 2048 / parts)).toBeLessThan(160)
})

it('made in pieces it is what is left of all of the weight under all of its mask', () => {
  const [k, n, ring] = [20, 40_000, 57]
  const w = BigUint64Array.from({ length: k * n }, (_, i) => BigInt.asUintN(64, BigInt((i % 9) - 4)))
  const F = new BigUint64Array(k * n)
  new Prg(kernels, key(5)).fill(3, 0, ring, F, 0, F.length, 8)
  const b = packedDifference(kernels, key(5), 3, { ...use(ring), k, n }, kernels.load(w, k, n))
  expect(Buffer.compare(b, kernels.pack(sub(w, F, ring), ring))).toBe(0)
})
