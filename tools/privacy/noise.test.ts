import { describe, expect, it } from 'vitest'
import { counterSource } from '../../test/support/random-source.ts'
import { normalCdf } from './gaussian.ts'
import { addGaussian, csprng, poissonSample, type RandomSource } from './noise.ts'

// Twenty-odd statistics here, each allowed to fail by chance with probability 4e-11: together under 1e-9.
const LIMIT = 6.7

/** Feeds the given words, most significant of a pair first. */
function wordsSource(words: number[]): RandomSource {
  let at = 0
  return (bytes) => {
    const view = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    for (let i = 0; i < view.length; i++) view[i] = words[at++]
  }
}

/** The two words whose 53 bits make this integer. */
const wordsOf = (bits: number) => [Math.floor(bits / 2 ** 32) * 2 ** 11, bits % 2 ** 32]

describe('Gaussian noise from the cryptographic source', () => {
  const n = 200_000
  const sample = new Float64Array(n)
  addGaussian(sample, 1)
  const mean = (f: (x: number, i: number) => number) => sample.reduce((sum, x, i) => sum + f(x, i), 0) / n

  it('has the moments of a standard normal', () => {
    // Moment, its value, its variance for one draw.
    const moments: [number, number, number][] = [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ]
    for (const [power, value, variance] of moments)
      expect(Math.abs(mean((x) => x ** power) - value) / Math.sqrt(variance / n), `${power}`).toBeLessThan(
        power > 2 ? 9 : LIMIT, // sums of high powers approach their limit slowly
      )
  })

  it('has the distribution of one (Kolmogorov and Smirnov)', () => {
    const sorted = sample.slice().sort()
    let distance = 0
    sorted.forEach((x, i) => {
      const p = normalCdf(x)
      distance = Math.max(distance, Math.abs(p - i / n), Math.abs(p - (i + 1) / n))
    })
    // 2 exp(-2 t^2) = 4e-11
    expect(distance * Math.sqrt(n)).toBeLessThan(3.51)
  })

  it('has independent neighbours, also in size', () => {
    for (const lag of [1, 2, 3, 2048, 2049]) {
      const product = mean((x, i) => (i < lag ? 0 : x * sample[i - lag]))
      expect(Math.abs(product) * Math.sqrt(n), `lag ${lag}`).toBeLessThan(LIMIT)
      const squares = mean((x, i) => (i < lag ? 0 : (x * x - 1) * (sample[i - lag] ** 2 - 1)))
      expect((Math.abs(squares) * Math.sqrt(n)) / 2, `squares at lag ${lag}`).toBeLessThan(9)
    }
  })

  it('reaches the tails', () => {
    const beyond = mean((x) => (Math.abs(x) > 3 ? 1 : 0))
    const p = 2 * normalCdf(-3)
    expect(Math.abs(beyond - p) / Math.sqrt((p * (1 - p)) / n)).toBeLessThan(LIMIT)
  })

  it('is added to what is there, with the deviation asked for', () => {
    const shifted = new Float32Array(100_000).fill(10)
    addGaussian(shifted, 3)
    const average = shifted.reduce((sum, x) => sum + x, 0) / shifted.length
    const variance = shifted.reduce((sum, x) => sum + (x - 10) ** 2, 0) / shifted.length
    expect((Math.abs(average - 10) / 3) * Math.sqrt(shifted.length)).toBeLessThan(LIMIT)
    expect(Math.abs(variance / 9 - 1) * Math.sqrt(shifted.length / 2)).toBeLessThan(LIMIT)
  })

  it('refuses a deviation that is none', () => {
    for (const deviation of [-1, Number.NaN, Infinity])
      expect(() => addGaussian(new Float32Array(1), deviation)).toThrow(RangeError)
  })
})

describe('a source of one’s own', () => {
  it('replays, whatever the lengths, and continues from a saved state', () => {
    const lengths = [1, 2, 7, 2048, 2049, 5000]
    const draw = (source: RandomSource) =>
      lengths.map((length) => {
        const values = new Float64Array(length)
        addGaussian(values, 1, source)
        return values
      })
    const first = draw(counterSource(5))
    expect(draw(counterSource(5))).toEqual(first)
    expect(draw(counterSource(6))).not.toEqual(first)
    expect(first.flatMap((values) => [...values]).every(Number.isFinite)).toBe(true)
    // Uniforms of all zero and all one bits: the ends of Box-Muller.
    for (const word of [0, 2 ** 32 - 1]) {
      const values = new Float64Array(2)
      addGaussian(values, 1, wordsSource(Array(16).fill(word)))
      expect([...values].every(Number.isFinite)).toBe(true)
    }
  })

  it('takes four Box-Muller pairs for two normals', () => {
    const uniforms: [number, number][] = [
      [0.5, 0.25],
      [0.125, 0.5],
      [0.75, 0.125],
      [0.0625, 0.875],
    ]
    const values = new Float64Array(2)
    const words = uniforms.flat().flatMap((u, i) => wordsOf(u * 2 ** 53 - (i % 2 === 0 ? 1 : 0)))
    addGaussian(values, 1, wordsSource(words))
    const pairs = uniforms.map(([u, w]) => [Math.sqrt(-2 * Math.log(u)), 2 * Math.PI * w])
    expect(values[0]).toBeCloseTo(pairs.reduce((sum, [r, a]) => sum + r * Math.cos(a), 0) / 2, 12)
    expect(values[1]).toBeCloseTo(pairs.reduce((sum, [r, a]) => sum + r * Math.sin(a), 0) / 2, 12)
  })
})

describe('Poisson batches', () => {
  it('hold each example with probability q, independently', () => {
    const n = 40
    const rounds = 20_000
    const q = 0.3
    const counts = new Float64Array(n)
    let pairs = 0
    let sizes = 0
    for (let round = 0; round < rounds; round++) {
      const batch = poissonSample(n, q)
      sizes += (batch.length - n * q) ** 2
      const chosen = new Set(batch)
      for (const i of batch) {
        counts[i]++
        if (chosen.has((i + 1) % n)) pairs++
      }
    }
    const deviation = Math.sqrt(q * (1 - q) * rounds)
    // Forty counts: a wider limit keeps the family's probability.
    for (const count of counts) expect(Math.abs(count - rounds * q) / deviation).toBeLessThan(7.2)
    // Neighbours together: products of independent draws, correlated by one step only.
    const products = rounds * n
    const variance = q ** 2 * (1 - q ** 2) + 2 * (q ** 3 - q ** 4)
    expect(Math.abs(pairs - products * q * q) / Math.sqrt(products * variance)).toBeLessThan(LIMIT)
    // Batch sizes vary as a binomial does: fixed sizes would not be the mechanism that is accounted for.
    expect(sizes / rounds / (n * q * (1 - q))).toBeGreaterThan(0.9)
    expect(sizes / rounds / (n * q * (1 - q))).toBeLessThan(1.1)
  })

  it('cover large data sets, in order', () => {
    const n = 100_000
    const q = 2048 / 67349
    const batch = poissonSample(n, q)
    expect(Math.abs(batch.length - n * q) / Math.sqrt(n * q * (1 - q))).toBeLessThan(LIMIT)
    expect(batch.every((index, i) => index < n && (i === 0 || index > batch[i - 1]))).toBe(true)
    expect(poissonSample(1000, 0).length).toBe(0)
    expect(poissonSample(1000, 1).length).toBe(1000)
    expect(poissonSample(0, 0.5).length).toBe(0)
  })

  it('compare all bits of q', () => {
    const half = 2 ** 52
    expect(poissonSample(1, 0.5, wordsSource(wordsOf(half))).length).toBe(0)
    expect(poissonSample(1, 0.5, wordsSource(wordsOf(half - 1))).length).toBe(1)
    // This q has bits beyond the 53rd: 2^-54 is below the first 53, and the next 53 decide.
    const q = 2 ** -54
    const decided = (next: number) =>
      poissonSample(1, q, wordsSource([...wordsOf(0), ...wordsOf(next)])).length
    expect(decided(half - 1)).toBe(1)
    expect(decided(half)).toBe(0)
    expect(poissonSample(1, q, wordsSource(wordsOf(1))).length).toBe(0)
  })

  it('refuse other arguments', () => {
    expect(() => poissonSample(1.5, 0.1)).toThrow(RangeError)
    expect(() => poissonSample(10, 1.1)).toThrow(RangeError)
    expect(() => poissonSample(10, Number.NaN)).toThrow(RangeError)
  })
})

it('fills arrays beyond the quota of the platform', () => {
  const bytes = new Uint8Array(200_001)
  csprng(bytes)
  for (const from of [0, 65_536, 131_072, 199_900])
    expect(bytes.subarray(from, from + 100).some((byte) => byte !== 0)).toBe(true)
})
