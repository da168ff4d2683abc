/** What a cloud makes of veiled pictures, which has pictures of the same kind, and neither weights nor keys. */
import { Matrix } from 'ml-matrix'
import { type Components, independentComponents, multiplied, type Rows } from './components.ts'
import { match, type PlacedComponents } from './matching.ts'

/** Pictures of as many patches each, one patch after another. */
export interface Patches extends Rows {
  /** Of each picture. */
  readonly patches: number
}

/** What was found: how a veiled patch becomes one that can be looked at. */
export interface Reconstruction {
  /** Taken from a veiled patch. */
  readonly mean: Float64Array
  /** What the rest is multiplied by, `[veiled numbers, pixels]`. */
  readonly map: Matrix
  /** Added then. */
  readonly around: Float64Array
  /** Where the cloud's patch j belongs. */
  readonly places: readonly number[]
}

/** Components that are matched; weaker ones are noise. */
const COMPONENTS = 30
/** Components are found from a random beginning, and not always the same ones. */
const ATTEMPTS = 4

/**
 * Learns to see: independent components of what is veiled and of public pictures are matched by how they are distributed,
 * and places by what is usually there. No weights, no keys, no pairs of pictures.
 * @param inPlace whether the veil leaves patches where they are
 */
export function reconstruct(veiled: Patches, known: Patches, inPlace = false): Reconstruction {
  const count = Math.min(COMPONENTS, veiled.width, known.width)
  const open = independentComponents(known, count, 1)
  const attempts = Array.from({ length: ATTEMPTS }, (_, i) => {
    const seen = independentComponents(veiled, count, 2 + i)
    return { seen, matching: match(placed(veiled, seen, count), placed(known, open, count), inPlace) }
  })
  const [best] = attempts.sort((a, b) => a.matching.cost - b.matching.cost)
  const { of, sign, places } = best.matching
  const mix = open.mix.subMatrixRow([...of]).mulColumnVector([...sign])
  return { mean: best.seen.mean, map: best.seen.unmix.mmul(mix), around: open.mean, places }
}

const placed = (rows: Patches, { mean, unmix }: Components, count: number): PlacedComponents => ({
  values: multiplied(rows, mean, unmix),
  places: rows.patches,
  count,
})

/** A veiled picture's patches as the cloud sees them, each where it belongs. */
export function rebuild(found: Reconstruction, patches: readonly ArrayLike<number>[]): Float64Array[] {
  const { mean, map, around, places } = found
  const out: Float64Array[] = []
  patches.forEach((patch, j) => {
    const centred = Matrix.rowVector(Array.from(mean, (value, i) => patch[i] - value))
    out[places[j]] = Float64Array.from(centred.mmul(map).to1DArray(), (value, i) => value + around[i])
  })
  return out
}
