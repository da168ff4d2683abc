import { expect, it } from 'vitest'
import { widened } from '../../kernels/lanes.ts'
import { type AnyLanes, laneBits, newLanes, resized } from './ring.ts'

it('signed lanes are the same integers in another ring', () => {
  const lanes = BigUint64Array.of(7n, 8n, 15n)
  expect([...resized(lanes, 4, 64)]).toEqual([7n, BigInt.asUintN(64, -8n), 2n ** 64n - 1n])
  expect([...resized(lanes, 4, 5)]).toEqual([7n, 24n, 31n])
  expect([...resized(lanes, 4, 3)]).toEqual([7n, 0n, 7n])
})

it.each([8, 16, 32, 64] as const)(
  'lanes of %i bits say their width, and widen to the same values',
  (bits) => {
    const lanes: AnyLanes = newLanes(bits, 3)
    expect(laneBits(lanes)).toBe(bits)
    if (lanes instanceof BigUint64Array) lanes[1] = 2n ** 64n - 1n
    else lanes[1] = 2 ** bits - 1
    expect([...widened(lanes)]).toEqual([0n, 2n ** BigInt(bits) - 1n, 0n])
  },
)
