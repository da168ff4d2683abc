/** How often tokens stand one and two places behind each other: what graph matching describes numbers by. */

/** Pairs in rows: columns and counts of row a are those from start[a] to start[a + 1]. */
export interface Sparse {
  readonly start: Uint32Array
  readonly columns: Uint32Array
  readonly counts: Float32Array
}

export interface PairCounts {
  readonly vocab: number
  readonly unigrams: Float64Array
  /** One and two places behind, by the first token of a pair; then the same by the second. */
  readonly after: readonly Sparse[]
  readonly before: readonly Sparse[]
}

export const DISTANCES = [1, 2]

/** Counts texts of token ids below `vocab`. Takes n log n time in the number of tokens, and memory for them all. */
export function countPairs(texts: readonly ArrayLike<number>[], vocab: number): PairCounts {
  const unigrams = new Float64Array(vocab)
  for (const text of texts) for (let i = 0; i < text.length; i++) unigrams[text[i]]++
  const pairs = DISTANCES.map((distance) => keysOf(texts, vocab, distance))
  return {
    vocab,
    unigrams,
    after: pairs.map((keys) => sparse(keys, vocab)),
    before: pairs.map((keys) =>
      sparse(
        keys.map((key) => (key % vocab) * vocab + Math.floor(key / vocab)),
        vocab,
      ),
    ),
  }
}

function keysOf(texts: readonly ArrayLike<number>[], vocab: number, distance: number): Float64Array {
  const length = texts.reduce((sum, text) => sum + Math.max(0, text.length - distance), 0)
  const keys = new Float64Array(length)
  let at = 0
  for (const text of texts)
    for (let i = distance; i < text.length; i++) keys[at++] = text[i - distance] * vocab + text[i]
  return keys
}

function sparse(keys: Float64Array, vocab: number): Sparse {
  const sorted = keys.slice().sort()
  let distinct = 0
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++
  const start = new Uint32Array(vocab + 1)
  const columns = new Uint32Array(distinct)
  const counts = new Float32Array(distinct)
  let at = -1
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) {
      at++
      columns[at] = sorted[i] % vocab
      start[Math.floor(sorted[i] / vocab) + 1] = at + 1
    }
    counts[at]++
  }
  // Rows without a pair begin where the one before them ends.
  for (let row = 1; row <= vocab; row++) start[row] = Math.max(start[row], start[row - 1])
  return { start, columns, counts }
}
