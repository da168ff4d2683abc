import { expect, it } from 'vitest'
import { Rotations } from './rotations.ts'

const spec = { shift: 2, entries: 8, words: 2 }
const SIZE = 2 ** (3 + spec.shift)

it("a mask's table begins at its own place, entry by entry, and goes around", () => {
  const worked: number[] = []
  // What stands for values from v on is v and -v.
  const tables = new Rotations(spec, (place, out) => {
    worked.push(place)
    for (let k = 0; k < spec.entries; k++) {
      out[2 * k] = 4 * k + place
      out[2 * k + 1] = -(4 * k + place)
    }
  })
  const masks = Uint32Array.from({ length: SIZE }, (_, i) => SIZE - 1 - i)
  const out = new BigUint64Array(SIZE * 16)
  tables.fill(masks, 0, 2, out)
  expect(worked).toEqual([3, 2])
  tables.fill(masks, 2, SIZE - 2, out.subarray(2 * 16))
  masks.forEach((mask, i) => {
    for (let e = 0; e < 8; e++) {
      const from = (mask + 4 * e) % SIZE
      expect(out[16 * i + 2 * e]).toBe(BigInt(from))
      expect(out[16 * i + 2 * e + 1]).toBe(BigInt.asUintN(64, BigInt(-from)))
    }
  })
  tables.prepare()
  expect(worked.toSorted()).toEqual([0, 1, 2, 3])
  expect(tables.at(1)[6]).toBe(13n)
})

it('tables for every place of a wide mask are refused', () => {
  expect(() => new Rotations({ shift: 28, entries: 16, words: 1 }, () => undefined)).toThrow(/too large/)
})
