/** The model itself, for somebody who has found out its numbers: how well the veiled copy runs under a guess of them. */
import type { FloatModel } from '../../../src/model/graph/decoder-model.ts'

export interface Extracted {
  readonly perplexity: number
  readonly originalPerplexity: number
  /** Share of places at which both think the same token likeliest. */
  readonly agreement: number
}

/** Least probability of a token that no number is taken for, or a rare one. */
const FLOOR = 1e-6

/**
 * Runs both over texts of tokens, teacher-forced, `tokens` at most.
 * @param guess the token that each number is taken for; -1 for none
 */
export function extracted(
  original: FloatModel,
  veiled: FloatModel,
  guess: ArrayLike<number>,
  texts: Iterable<readonly number[]>,
  tokens: number,
): Extracted {
  const { vocab } = original.config
  const numberOf = new Int32Array(vocab).fill(-1)
  for (let j = 0; j < guess.length; j++) if (guess[j] >= 0) numberOf[guess[j]] = j
  const sums = { count: 0, nats: 0, originalNats: 0, same: 0 }
  for (const text of texts) {
    const ids = text.slice(0, tokens - sums.count + 1)
    const [want, got] = [
      logits(original, ids),
      logits(
        veiled,
        ids.map((id) => Math.max(0, numberOf[id])),
      ),
    ]
    for (let t = 0; t + 1 < ids.length; t++) {
      const [a, b] = [want, got].map((all) => probabilities(all.subarray(t * vocab, (t + 1) * vocab)))
      const next = ids[t + 1]
      sums.count++
      sums.originalNats -= Math.log(a[next])
      sums.nats -= Math.log(Math.max(FLOOR, numberOf[next] < 0 ? 0 : b[numberOf[next]]))
      if (guess[likeliest(b)] === likeliest(a)) sums.same++
    }
    if (sums.count >= tokens) break
  }
  return {
    perplexity: Math.exp(sums.nats / sums.count),
    originalPerplexity: Math.exp(sums.originalNats / sums.count),
    agreement: sums.same / sums.count,
  }
}

function logits(model: FloatModel, ids: readonly number[]): Float64Array {
  model.rewind()
  return model.forward(ids, 'all')
}

function probabilities(row: Float64Array): Float64Array {
  const most = row.reduce((a, b) => Math.max(a, b))
  const out = row.map((value) => Math.exp(value - most))
  const sum = out.reduce((a, b) => a + b)
  return out.map((value) => value / sum)
}

const likeliest = (values: Float64Array): number => values.indexOf(values.reduce((a, b) => Math.max(a, b)))
