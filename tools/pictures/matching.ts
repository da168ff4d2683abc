/** Which component is which, and which place: by how numbers are distributed, over all places and at each of them. */
import munkres from 'munkres'

/** What is known of one component. */
interface Shape {
  /** Quantiles over all places. */
  readonly quantiles: Float64Array
  /** At each place. */
  readonly means: Float64Array
  readonly spreads: Float64Array
}

/** Components of patches, `[pictures, places, components]`, flat. */
export interface PlacedComponents {
  readonly values: Float64Array
  readonly places: number
  readonly count: number
}

/** Component i is the other's `of[i]`, times `sign[i]`; place j is the other's `places[j]`. */
export interface Matching {
  readonly of: readonly number[]
  readonly sign: readonly number[]
  readonly places: readonly number[]
  /** How unlike the matched are: the best of several attempts has the least. */
  readonly cost: number
}

const QUANTILES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
const ROUNDS = 6

/**
 * Matches components without places first, then places by components and components by places, in turns.
 * @param inPlace whether places are where they belong, and need no matching
 */
export function match(seen: PlacedComponents, open: PlacedComponents, inPlace = false): Matching {
  const [a, b] = [seen, open].map(shapesOf)
  const mirrored = b.map(mirror)
  let found = components(a, b, mirrored, sortedDistance)
  let places: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const known = found.of.map((other, i) => (found.sign[i] > 0 ? b : mirrored)[other])
    places = inPlace ? Array.from({ length: seen.places }, (_, j) => j) : placesOf(a, known, seen.places)
    found = components(a, b, mirrored, (x, y) => placedDistance(x, y, places))
  }
  return { ...found, places }
}

/** Where each place of `seen` is, by components that are known from each other. */
const placesOf = (seen: readonly Shape[], known: readonly Shape[], places: number): number[] =>
  assign(
    Array.from({ length: places }, (_, j) =>
      Array.from({ length: places }, (_, p) =>
        seen.reduce(
          (sum, shape, i) =>
            sum + (shape.means[j] - known[i].means[p]) ** 2 + (shape.spreads[j] - known[i].spreads[p]) ** 2,
          0,
        ),
      ),
    ),
  )

function components(
  a: readonly Shape[],
  b: readonly Shape[],
  mirrored: readonly Shape[],
  distance: (x: Shape, y: Shape) => number,
): Omit<Matching, 'places'> {
  const costs = a.map((x) => b.map((y, i) => [distance(x, y), distance(x, mirrored[i])]))
  const of = assign(costs.map((row) => row.map(([same, other]) => Math.min(same, other))))
  const cost = of.reduce((sum, other, i) => sum + Math.min(...costs[i][other]), 0)
  return { of, sign: of.map((other, i) => (costs[i][other][0] <= costs[i][other][1] ? 1 : -1)), cost }
}

function assign(costs: number[][]): number[] {
  const out = new Array<number>(costs.length)
  for (const [row, column] of munkres(costs)) out[row] = column
  return out
}

const squared = (x: Float64Array, y: Float64Array): number =>
  x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0)

const sortedDistance = (x: Shape, y: Shape): number =>
  squared(x.quantiles, y.quantiles) +
  squared(x.means.toSorted(), y.means.toSorted()) +
  squared(x.spreads.toSorted(), y.spreads.toSorted())

function placedDistance(x: Shape, y: Shape, places: readonly number[]): number {
  const there = (values: Float64Array): Float64Array => Float64Array.from(places, (place) => values[place])
  return (
    squared(x.quantiles, y.quantiles) +
    squared(x.means, there(y.means)) +
    squared(x.spreads, there(y.spreads))
  )
}

/** Of the component with its sign changed. */
const mirror = ({ quantiles, means, spreads }: Shape): Shape => ({
  quantiles: quantiles.map((q) => -q).reverse(),
  means: means.map((mean) => -mean),
  spreads,
})

function shapesOf({ values, places, count }: PlacedComponents): Shape[] {
  const rows = values.length / count
  return Array.from({ length: count }, (_, c) => {
    const own = Float64Array.from({ length: rows }, (_, r) => values[r * count + c])
    const [means, spreads] = [new Float64Array(places), new Float64Array(places)]
    own.forEach((value, r) => {
      means[r % places] += (value * places) / rows
      spreads[r % places] += (value * value * places) / rows
    })
    return {
      means,
      spreads: spreads.map((square, p) => Math.sqrt(Math.max(0, square - means[p] ** 2))),
      quantiles: quantilesOf(own),
    }
  })
}

function quantilesOf(values: Float64Array): Float64Array {
  const sorted = values.toSorted()
  return Float64Array.from(QUANTILES, (q) => sorted[Math.floor(q * (sorted.length - 1))])
}
