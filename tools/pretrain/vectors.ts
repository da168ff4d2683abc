import { readLines } from './texts.ts'

/** Word vectors in GloVe's text form, one word and its numbers a line, the commonest words first. */
export interface WordVectors {
  dim: number
  byWord: Map<string, Float32Array>
  /** Estimated relative frequency by Zipf's law. */
  frequency: Map<string, number>
}

/** Throws naming the line whose numbers are not as many as the first line's. */
export function readVectors(path: string): WordVectors {
  const byWord = new Map<string, Float32Array>()
  const frequency = new Map<string, number>()
  let dim = 0
  readLines(path).forEach(({ line, text }, i) => {
    const [word, ...numbers] = text.split(' ')
    const vector = Float32Array.from(numbers, Number)
    dim ||= vector.length
    if (vector.length !== dim || !vector.every(Number.isFinite))
      throw new Error(`${path}, line ${line}: expected a word and ${dim} numbers.`)
    byWord.set(word, vector)
    frequency.set(word, 0.08 / (i + 3))
  })
  return { dim, byWord, frequency }
}

/** Word and score for each line, separated by a tab: for example AFINN's list. */
export function readLexicon(path: string): Map<string, number> {
  return new Map(
    readLines(path).map(({ line, text }) => {
      const [word, score] = text.split('\t')
      if (!Number.isFinite(Number(score)) || score === undefined)
        throw new Error(`${path}, line ${line}: expected a word, a tab and a score.`)
      return [word, Number(score)]
    }),
  )
}
