import type { Tensor } from '../../src/model/architectures/config.ts'
import { plainWords } from '../train/wordpiece.ts'
import type { WordVectors } from './vectors.ts'

/**
 * What the pooler learns to say about a sentence before any task is known: the mean of its word vectors, rare words
 * counting more (Arora et al., 2017), and the mean score of its words in a lexicon, turned round after a negation.
 */
export class SentenceTargets {
  readonly #vectors: WordVectors
  readonly #lexicon: ReadonlyMap<string, number>
  readonly #mean: Float32Array

  constructor(vectors: WordVectors, lexicon: ReadonlyMap<string, number>, texts: Iterable<string>) {
    this.#vectors = vectors
    this.#lexicon = lexicon
    this.#mean = new Float32Array(vectors.dim)
    let count = 0
    for (const text of texts) {
      const sum = this.#wordMean(plainWords(text))
      for (let i = 0; i < sum.length; i++) this.#mean[i] += sum[i]
      count++
    }
    for (let i = 0; i < this.#mean.length; i++) this.#mean[i] /= Math.max(1, count)
  }

  /** Numbers for each text: the vectors' width, and one for the lexicon. */
  get width(): number {
    return this.#vectors.dim + 1
  }

  of(text: string): Float32Array {
    const words = plainWords(text.replace(/n['’]t\b/g, ' not'))
    const out = new Float32Array(this.width)
    const mean = this.#wordMean(words)
    const centred = mean.map((value, i) => value - this.#mean[i])
    const norm = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0) / centred.length)
    if (norm > 0) out.set(centred.map((value) => value / norm))
    // Three times as large as its spread, so that one number is not lost among a hundred.
    out[out.length - 1] = 3 * this.#tone(words)
    return out
  }

  #wordMean(words: string[]): Float32Array {
    const sum = new Float32Array(this.#vectors.dim)
    for (const word of words) {
      const vector = this.#vectors.byWord.get(word)
      const weight = 1e-3 / (1e-3 + (this.#vectors.frequency.get(word) ?? 0))
      if (vector) for (let i = 0; i < sum.length; i++) sum[i] += (weight * vector[i]) / words.length
    }
    return sum
  }

  #tone(words: string[]): number {
    let sum = 0
    let count = 0
    words.forEach((word, i) => {
      const score = this.#lexicon.get(word)
      if (!score) return
      const turned = words.slice(Math.max(0, i - 3), i).some((w) => /^(not|no|never|without|hardly)$/.test(w))
      sum += turned ? -0.7 * score : score
      count++
    })
    return count === 0 ? 0 : sum / Math.sqrt(count) / 3
  }
}

/**
 * Sets the rows of a word table to the words' vectors, centred and scaled to `deviation`; suffixes take the vector of the
 * word that they look like. Rows and columns that no vector reaches stay as they are.
 */
export function fillFromVectors(
  table: Tensor,
  tokens: string[],
  { dim, byWord }: WordVectors,
  deviation: number,
): void {
  const found = tokens.map((token) => {
    const isSuffix = token.startsWith('##')
    return isSuffix && token.length < 6 ? undefined : byWord.get(isSuffix ? token.slice(2) : token)
  })
  const known = found.filter((vector) => vector !== undefined)
  const mean = Array.from({ length: dim }, (_, i) => known.reduce((sum, v) => sum + v[i], 0) / known.length)
  const square = known.reduce((sum, v) => sum + v.reduce((s, x, i) => s + (x - mean[i]) ** 2, 0), 0)
  const scale = deviation / Math.sqrt(square / (known.length * dim))
  const width = table.shape[1]
  found.forEach((vector, row) => {
    vector?.forEach((value, i) => {
      table.data[row * width + i] = scale * (value - mean[i])
    })
  })
}

/** Both texts of a pair as one, for the sentence's targets. */
export const joined = (texts: readonly string[]): string => texts.join(' ')
