import { expect, test } from 'vitest'
import { PredictableRandom } from '../../../src/model/random.ts'
import { matchGraphs } from './graph-matching.ts'
import { counted, rareOnes, score } from './numbering.ts'
import { countPairs } from './pair-counts.ts'

const VOCAB = 60

/** Texts of a language of its own: every token has a few that follow it. */
function texts(random: PredictableRandom, language: number, count: number): number[][] {
  const rules = new PredictableRandom(language)
  const followers = Array.from({ length: VOCAB }, () => Array.from({ length: 3 }, () => rules.below(VOCAB)))
  return Array.from({ length: count }, () => {
    const text = [0]
    while (text.length < 80)
      text.push(followers[text.at(-1)!][Math.min(2, Math.floor(2.2 * random.uniform() ** 2 * 1.4))])
    return text
  })
}

const random = new PredictableRandom(1)
const order = Array.from({ length: VOCAB }, (_, i) => i)
for (let i = VOCAB - 1; i > 0; i--) {
  const j = random.below(i + 1)
  ;[order[i], order[j]] = [order[j], order[i]]
}
/** `order[token]` is its number. */
const truth = new Int32Array(VOCAB)
order.forEach((number, token) => {
  truth[number] = token
})

function read(users: number[][], own: number[][]): number {
  const observed = users.map((text) => text.map((token) => order[token]))
  const guess = matchGraphs(countPairs(observed, VOCAB), countPairs(own, VOCAB), new Map([[order[0], 0]]))
  const traffic = counted(users, VOCAB)
  return score(guess, truth, traffic, rareOnes(traffic)).tokens
}

test('numbers are read with text of the same kind, and hardly with text of another', () => {
  const users = texts(random, 7, 150)
  expect(read(users, texts(random, 7, 150))).toBeGreaterThan(0.9)
  expect(read(users, texts(random, 8, 150))).toBeLessThan(0.3)
})

test('nothing is read of nothing', () => {
  const none = countPairs([], VOCAB)
  expect([...matchGraphs(none, none, new Map())]).toEqual(new Array(VOCAB).fill(-1))
})

test('pairs are counted in both directions, one and two apart', () => {
  const { unigrams, after, before } = countPairs([[1, 2, 1, 2], [3]], 5)
  expect([...unigrams]).toEqual([0, 2, 2, 1, 0])
  const rows = ({ start, columns, counts }: (typeof after)[number]) =>
    Array.from({ length: 5 }, (_, a) =>
      Object.fromEntries(
        Array.from({ length: start[a + 1] - start[a] }, (_, i) => [
          columns[start[a] + i],
          counts[start[a] + i],
        ]),
      ),
    )
  expect(rows(after[0])).toEqual([{}, { 2: 2 }, { 1: 1 }, {}, {}])
  expect(rows(before[0])).toEqual([{}, { 2: 1 }, { 1: 2 }, {}, {}])
  expect(rows(after[1])).toEqual([{}, { 1: 1 }, { 2: 1 }, {}, {}])
})

test('scores weigh what users write, and tell the common from the rare', () => {
  const traffic = Float64Array.of(6, 3, 1, 0)
  const rare = Uint8Array.of(0, 1, 1, 1)
  expect(score([1, 0, 2, -1], [1, 0, 3, 2], traffic, rare)).toEqual({
    tokens: 0.9,
    rareTokens: 0.75,
    numbers: 2 / 3,
  })
})
