import { expect, test } from 'vitest'
import { PredictableRandom } from '../../src/model/random.ts'
import { NgramModel } from './ngram.ts'

const random = new PredictableRandom(1)
const vocab = 12
const tokens = Uint16Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? random.below(vocab) : (i * 5) % 7))

test.each([1, 2, 3, 5])('order %i: probabilities sum to one after any history', (order) => {
  const model = new NgramModel(tokens, order, vocab)
  for (const history of [[], [3], [1, 2, 3, 4, 5], Array.from(tokens.subarray(100, 106)), [11, 11, 11, 11]]) {
    let sum = 0
    for (let token = 0; token < vocab; token++) sum += model.probability([...history, token], history.length)
    expect(sum).toBeCloseTo(1, 10)
  }
})

test('a bigram by hand', () => {
  // Bigrams of 0 1 0 1 0 2: (0,1) twice, (1,0) twice, (0,2) once; n1 = 1, n2 = 2, so D = 1/5.
  const model = new NgramModel([0, 1, 0, 1, 0, 2], 2, 3)
  // Unigram continuation counts: 0 follows one token, 1 follows one, 2 follows one; n1 = 3, D = 1.
  // So p(w) = 0 + 1 * 3/3 * 1/3 for each, and p(1 | 0) = (2 - 1/5)/3 + 1/5 * 2/3 * 1/3.
  expect(model.probability([0, 1], 1)).toBeCloseTo(1.8 / 3 + 0.4 / 9, 12)
  expect(model.probability([0, 0], 1)).toBeCloseTo(0.4 / 9, 12)
})

test('longer histories predict a repeating text better', () => {
  const loop = Uint16Array.from({ length: 400 }, (_, i) => [1, 2, 1, 3, 1, 4][i % 6])
  const at = 207
  const p = [1, 2, 3].map((order) => new NgramModel(loop, order, 5).probability(loop, at))
  expect(p[0]).toBeLessThan(p[1])
  expect(p[1]).toBeLessThan(p[2])
  expect(p[2]).toBeGreaterThan(0.95)
})
