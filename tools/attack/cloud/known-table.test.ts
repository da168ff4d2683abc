import { expect, test } from 'vitest'
import { PredictableRandom } from '../../../src/model/random.ts'
import { rotated, signed } from '../../../src/protections/veiled/basis.ts'
import { apply, type LinearMap } from '../../../src/protections/veiled/linear-map.ts'
import { SecretStream } from '../../../src/protections/veiled/secret-stream.ts'
import { distanceCorrelation } from './distance-correlation.ts'
import { rowNorms, sortedRows } from './known-table.ts'
import { align } from './procrustes.ts'
import { mapRows, perturbed, picked, type Rows, rowCount } from './rows.ts'

const [HEIGHT, WIDTH] = [300, 16]
const random = new PredictableRandom(2)
/** Skewed, as tables of words are: third moments tell which way an axis points. */
const table: Rows = {
  data: Float32Array.from({ length: HEIGHT * WIDTH }, (_, at) => (1 + (at % WIDTH)) * random.normal() ** 2),
  width: WIDTH,
}
const secret = (purpose: string) => new SecretStream(new Uint8Array(32).fill(5), purpose)
const order = secret('rows').permutation(HEIGHT)
const veiled = (map: LinearMap): Rows =>
  mapRows(picked(table, order), (row) => Float32Array.from(apply(map, Float64Array.from(row))))
const right = (guess: ArrayLike<number>): number => order.filter((own, i) => guess[i] === own).length / HEIGHT

const turned = veiled(rotated(secret('map'), WIDTH))
const reordered = veiled(signed(secret('map'), WIDTH))

test('who has the table reads every number, whatever the map', async () => {
  for (const seen of [turned, reordered]) {
    expect(right(rowNorms(table, seen))).toBeGreaterThan(0.99)
    const { guess, rotation } = await align(table, seen)
    expect(right(guess)).toBe(1)
    expect(rowCount(rotation)).toBe(WIDTH)
    expect(distanceCorrelation(picked(table, order), seen)).toBeCloseTo(1, 5)
  }
  expect(right(await sortedRows(table, reordered))).toBe(1)
  expect(right(await sortedRows(table, turned))).toBeLessThan(0.1)
})

test('a table that this one was tuned from does nearly as well, but for lengths', async () => {
  const before = perturbed(table, 0.1, random)
  expect(right((await align(before, turned)).guess)).toBeGreaterThan(0.9)
  expect(right(await sortedRows(before, reordered))).toBeGreaterThan(0.7)
  expect(right(rowNorms(before, turned))).toBeLessThan(0.3)
})

test('rows that have nothing to do with each other have a low distance correlation', () => {
  const other: Rows = { data: Float32Array.from(table.data, () => random.normal()), width: WIDTH }
  expect(distanceCorrelation(table, other)).toBeLessThan(0.4)
})
