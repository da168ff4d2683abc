/** The maps: what they are, what undoes them, and what they leave as it is. */
import { expect, test } from 'vitest'
import { PredictableRandom } from '../../model/random.ts'
import { factors, permuted, rotated, rotatedWithMean, signed } from './basis.ts'
import {
  apply,
  asMonomial,
  chain,
  dual,
  identity,
  type LinearMap,
  monomial,
  sideBySide,
} from './linear-map.ts'
import { SecretStream } from './secret-stream.ts'

const secret = (seed = 1): SecretStream => new SecretStream(new Uint8Array(32).fill(seed), 'test')
const numbers = (length: number, seed: number): Float64Array => {
  const random = new PredictableRandom(seed)
  return Float64Array.from({ length }, () => random.normal())
}
const product = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0)

const pairs = (heads: number): LinearMap => ({
  size: 8 * heads,
  steps: [{ kind: 'pairs', head: 8, re: numbers(4 * heads, 3), im: numbers(4 * heads, 4) }],
})

const maps: Record<string, LinearMap> = {
  permuted: permuted(secret(), 24),
  signed: signed(secret(), 24),
  scaled: monomial(secret().permutation(24), factors(secret(), 24, false)),
  pairs: pairs(3),
  'rotated, a power of two': rotated(secret(), 64),
  'rotated, blocks': rotated(secret(), 24),
  'rotated, odd': rotated(secret(), 27),
  'with its mean, a power of two': rotatedWithMean(secret(), 64),
  'with its mean, blocks': rotatedWithMean(secret(), 48),
  chained: chain(signed(secret(), 24), pairs(3), signed(secret(2), 24)),
  'side by side': sideBySide([rotated(secret(), 24), rotated(secret(2), 24)]),
}

test.each(Object.entries(maps))('%s: its dual keeps scalar products', (_, map) => {
  const [x, y] = [numbers(map.size, 5), numbers(map.size, 6)]
  const mapped = product(apply(map, x.slice()), apply(dual(map), y.slice()))
  expect(mapped).toBeCloseTo(product(x, y), 10)
})

test.each(Object.entries(maps))('%s: lanes are mapped each by itself', (_, map) => {
  const lanes = [7, 8, 9].map((seed) => numbers(map.size, seed))
  const x = Float64Array.from({ length: 3 * map.size }, (_, i) => lanes[i % 3][Math.floor(i / 3)])
  const y = apply(map, x, 3)
  lanes.forEach((lane, l) => {
    const alone = apply(map, lane.slice())
    expect(y.filter((_, i) => i % 3 === l)).toEqual(alone)
  })
})

test('rotations keep lengths, and spread a single component over all', () => {
  for (const map of [rotated(secret(), 256), rotatedWithMean(secret(), 256)]) {
    const one = new Float64Array(256)
    one[17] = 1
    const y = apply(map, one)
    expect(Math.hypot(...y)).toBeCloseTo(1, 12)
    expect(y.filter((value) => Math.abs(value) > 1e-9).length).toBeGreaterThan(128)
    expect(Math.max(...y.map(Math.abs))).toBeLessThan(0.5)
  }
})

test('what LayerNorm reads keeps its mean, which a rotation alone does not', () => {
  for (const size of [64, 48, 768]) {
    const kept = apply(rotatedWithMean(secret(), size), new Float64Array(size).fill(1))
    for (const value of kept) expect(value).toBeCloseTo(1, 12)
  }
  const lost = apply(rotated(secret(), 64), new Float64Array(64).fill(1))
  expect(Math.max(...lost.map((value) => Math.abs(value - 1)))).toBeGreaterThan(0.5)
})

test('monomials in a row are one', () => {
  const map = chain(signed(secret(), 24), permuted(secret(2), 24), signed(secret(3), 24))
  expect(asMonomial(map)).toBeDefined()
  expect(asMonomial(chain(map, pairs(3)))).toBeUndefined()
  expect(asMonomial(identity(3))!.from).toEqual(Uint32Array.of(0, 1, 2))
})

test('maps of other forms do not lie side by side', () => {
  expect(() => sideBySide([pairs(3), signed(secret(), 24)])).toThrow(RangeError)
})

test('things that are fixed keep their number, and all others take each other’s places', () => {
  const order = secret().permutation(1000, [0, 7])
  expect([order[0], order[7]]).toEqual([0, 7])
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(order.filter((from, i) => from === i).length).toBeLessThan(20)
})

test('another seed or purpose gives other choices, the same ones the same', () => {
  const of = (seed: number, purpose: string) =>
    new SecretStream(new Uint8Array(32).fill(seed), purpose).permutation(50)
  expect(of(1, 'a')).toEqual(of(1, 'a'))
  expect(of(1, 'a')).not.toEqual(of(2, 'a'))
  expect(of(1, 'a')).not.toEqual(of(1, 'b'))
})

test('permutations are uniform: every place gets every thing about as often', () => {
  const random = secret(9)
  const counts = new Float64Array(25)
  for (let i = 0; i < 5000; i++)
    random.permutation(5).forEach((from, to) => {
      counts[5 * from + to]++
    })
  // Chi-squared of 16 degrees of freedom: 60 is beyond one in a million.
  expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(60)
})
