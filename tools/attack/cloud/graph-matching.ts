/**
 * Which token each number stands for, from text of numbers and text of one's own: seeded graph matching (after Narayanan
 * and Shmatikov, "De-anonymizing Social Networks", 2009). Numbers are described by how often known ones stand beside them;
 * the surest matches become known, and it begins again.
 */
import type { PairCounts, Sparse } from './pair-counts.ts'

const ROUNDS = 14
/** Known numbers of the first round, and how many times more each round has. */
const FIRST = 40
const GROWTH = 1.6
/** The commonest numbers are taken for the commonest tokens, to begin with. */
const BY_RANK = 6
/** Weight of how often a number occurs at all. */
const FREQUENCY = 0.05

/**
 * @param observed text of the cloud's numbers
 * @param own text of tokens that it has
 * @param known numbers whose token is known
 * @returns the token that each number is taken for; -1 for those that do not occur
 */
export function matchGraphs(
  observed: PairCounts,
  own: PairCounts,
  known: ReadonlyMap<number, number>,
): Int32Array {
  const seen = occurring(observed.unigrams)
  const candidates = occurring(own.unigrams)
  const guess = new Int32Array(observed.vocab).fill(-1)
  if (seen.length === 0 || candidates.length === 0) return guess
  const frequencies = [observed, own].map(({ unigrams }) => logShares(unigrams))
  let anchors = withRanks(observed, own, known)
  for (let round = 0, size = FIRST; round < ROUNDS; round++, size *= GROWTH) {
    const distance = distances(observed, own, anchors, seen, candidates, frequencies)
    const matches = surest(distance, observed, seen, candidates)
    for (const { number, token } of matches) guess[number] = token
    for (const [number, token] of known) guess[number] = token
    const next = grown(matches, known, size)
    const isSame = next.size === anchors.size && [...next].every(([a, b]) => anchors.get(a) === b)
    anchors = next
    if (isSame) break
  }
  return guess
}

const occurring = (counts: Float64Array): number[] => [...counts.keys()].filter((id) => counts[id] > 0)

function logShares(counts: Float64Array): Float64Array {
  const all = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => Math.log(count / all + 1e-9))
}

function withRanks(
  observed: PairCounts,
  own: PairCounts,
  known: ReadonlyMap<number, number>,
): Map<number, number> {
  const tokens = new Set(known.values())
  const ranked = ({ unigrams }: PairCounts, isTaken: (id: number) => boolean): number[] =>
    [...unigrams.keys()]
      .filter((id) => !isTaken(id))
      .sort((a, b) => unigrams[b] - unigrams[a])
      .slice(0, BY_RANK)
  const anchors = new Map(known)
  const best = ranked(own, (id) => tokens.has(id))
  for (const [i, id] of ranked(observed, (number) => known.has(number)).entries()) anchors.set(id, best[i])
  return anchors
}

/**
 * Squared Hellinger distances of what stands beside a number and beside a token, [seen, candidates], by what sampling alone
 * makes of them, and how differently often the two occur.
 */
function distances(
  observed: PairCounts,
  own: PairCounts,
  anchors: ReadonlyMap<number, number>,
  seen: readonly number[],
  candidates: readonly number[],
  [observedShares, ownShares]: readonly Float64Array[],
): Float32Array {
  const width = candidates.length
  const out = new Float32Array(seen.length * width)
  const rows = placesOf(seen, observed.vocab)
  const columns = placesOf(candidates, own.vocab)
  const [seenSquares, ownSquares] = [new Float64Array(seen.length), new Float64Array(width)]
  const sides = (['after', 'before'] as const).flatMap((side) =>
    observed[side].map((of, i) => [of, own[side][i]] as const),
  )
  for (const [number, token] of anchors)
    for (const [a, b] of sides) {
      const x = beside(a, number, observed.unigrams, rows, seenSquares)
      const y = beside(b, token, own.unigrams, columns, ownSquares)
      for (let i = 0; i < x.at.length; i++) {
        const row = x.at[i] * width
        const value = x.values[i]
        for (let j = 0; j < y.at.length; j++) out[row + y.at[j]] += value * y.values[j]
      }
    }
  for (const [i, number] of seen.entries()) {
    const noise = 0.02 + 1 / Math.sqrt(observed.unigrams[number])
    for (const [j, token] of candidates.entries()) {
      const apart = seenSquares[i] + ownSquares[j] - 2 * out[i * width + j]
      const often = observedShares[number] - ownShares[token]
      out[i * width + j] = apart / noise + FREQUENCY * often * often
    }
  }
  return out
}

function placesOf(ids: readonly number[], vocab: number): Int32Array {
  const places = new Int32Array(vocab).fill(-1)
  for (const [i, id] of ids.entries()) places[id] = i
  return places
}

/** Roots of the shares at which things stand beside an anchor, by their places; adds their squares. */
function beside(
  { start, columns, counts }: Sparse,
  anchor: number,
  unigrams: Float64Array,
  places: Int32Array,
  squares: Float64Array,
): { at: Uint32Array; values: Float32Array } {
  const [from, to] = [start[anchor], start[anchor + 1]]
  const at = new Uint32Array(to - from)
  const values = new Float32Array(to - from)
  for (let i = from; i < to; i++) {
    const id = columns[i]
    const share = counts[i] / unigrams[id]
    at[i - from] = places[id]
    values[i - from] = Math.sqrt(share)
    squares[places[id]] += share
  }
  return { at, values }
}

interface Match {
  readonly number: number
  readonly token: number
  readonly isMutual: boolean
  readonly sureness: number
}

/** The nearest token of each number, the surest first: how much nearer than the next, for numbers that are seen often. */
function surest(
  distance: Float32Array,
  { unigrams }: PairCounts,
  seen: readonly number[],
  candidates: readonly number[],
): Match[] {
  const width = candidates.length
  const back = new Int32Array(width)
  const backDistance = new Float32Array(width).fill(Number.POSITIVE_INFINITY)
  const nearest = seen.map((_, i) => {
    let [best, first, second] = [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let j = 0; j < width; j++) {
      const value = distance[i * width + j]
      if (value < backDistance[j]) {
        backDistance[j] = value
        back[j] = i
      }
      if (value < first) [best, first, second] = [j, value, first]
      else if (value < second) second = value
    }
    return { best, margin: second - first }
  })
  return nearest
    .map(({ best, margin }, i) => ({
      number: seen[i],
      token: candidates[best],
      isMutual: back[best] === i,
      sureness: margin * Math.sqrt(unigrams[seen[i]]),
    }))
    .sort((a, b) => b.sureness - a.sureness)
}

function grown(
  matches: readonly Match[],
  known: ReadonlyMap<number, number>,
  size: number,
): Map<number, number> {
  const anchors = new Map(known)
  const taken = new Set(known.values())
  let left = Math.floor(size)
  for (const { number, token, isMutual } of matches) {
    if (left === 0) break
    if (!isMutual) continue
    left--
    if (anchors.has(number) || taken.has(token)) continue
    anchors.set(number, token)
    taken.add(token)
  }
  return anchors
}
