/** A guess of which token each number of the cloud's stands for, and how right it is. */

export interface Scores {
  /** Of all tokens of the users' text. */
  readonly tokens: number
  /** Of those beyond the {@link COMMON} that are commonest in text of the same kind. */
  readonly rareTokens: number
  /** Of the numbers that occur. */
  readonly numbers: number
  readonly [name: string]: number
}

/** Tokens that are mostly punctuation and little words. */
export const COMMON = 200

/** How often each of `vocab` tokens occurs. */
export function counted(texts: Iterable<ArrayLike<number>>, vocab: number): Float64Array {
  const counts = new Float64Array(vocab)
  for (const text of texts) for (let i = 0; i < text.length; i++) counts[text[i]]++
  return counts
}

/** Which tokens are beyond the commonest. */
export function rareOnes(counts: Float64Array): Uint8Array {
  const order = Uint32Array.from(counts, (_, i) => i).sort((a, b) => counts[b] - counts[a])
  const rare = new Uint8Array(counts.length).fill(1)
  for (const id of order.subarray(0, COMMON)) rare[id] = 0
  return rare
}

/**
 * @param guess the token that each number of the cloud's is taken for; -1 for none
 * @param truth the token that it is
 * @param traffic how often users write each token
 */
export function score(
  guess: ArrayLike<number>,
  truth: ArrayLike<number>,
  traffic: Float64Array,
  rare: Uint8Array,
): Scores {
  const sums = { all: 0, right: 0, rare: 0, rareRight: 0, seen: 0, seenRight: 0 }
  for (let j = 0; j < truth.length; j++) {
    const own = truth[j]
    const weight = traffic[own]
    if (weight === 0) continue
    const isRight = guess[j] === own
    sums.all += weight
    sums.seen++
    if (isRight) {
      sums.right += weight
      sums.seenRight++
    }
    if (!rare[own]) continue
    sums.rare += weight
    if (isRight) sums.rareRight += weight
  }
  return {
    tokens: sums.right / sums.all,
    rareTokens: sums.rare === 0 ? 0 : sums.rareRight / sums.rare,
    numbers: sums.seenRight / sums.seen,
  }
}
