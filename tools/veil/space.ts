/** Spaces: what the axes of a model's tensors are bases of, and which secret maps leave the model's results as they are. */
import { factors, permuted, signed } from '../../src/protections/veiled/basis.ts'
import { type End, endMap, type Group } from '../../src/protections/veiled/ends.ts'
import { chain, type LinearMap, monomial } from '../../src/protections/veiled/linear-map.ts'
import { SecretStream } from '../../src/protections/veiled/secret-stream.ts'

/** Maps by part: most spaces have one, `all`; those of heads and gated units have several that belong together. */
export type SpaceMaps = Readonly<Record<string, LinearMap>>

/** A space of a model. */
export interface Space {
  /** Tells it from the model's other spaces: its map is drawn from the seed for this name. */
  readonly id: string
  /** Draws its maps. */
  maps(seed: Uint8Array, group: Group): SpaceMaps
  /** Components of a part. */
  sizeOf(part: string): number
  /** Whether norms hand their gains to the tensors that read them, which a rotation takes. */
  folds(group: Group): boolean
}

const never = (): boolean => false

/** An end of the model, whose seed data owners may hold. */
export const endSpace = (id: string, end: End): Space => ({
  id,
  maps: (seed, group) => ({ all: endMap(end, group, seed) }),
  sizeOf: () => end.size,
  folds: (group) => group === 'full' && end.kind === 'stream' && end.norm !== 'carried',
})

const simple = (id: string, size: number, draw: (random: SecretStream) => LinearMap): Space => ({
  id,
  maps: (seed) => ({ all: draw(new SecretStream(seed, 'all')) }),
  sizeOf: () => size,
  folds: never,
})

/** Units behind a function of each alone, or things such as experts: they may be reordered. */
export const units = (id: string, size: number): Space => simple(id, size, (random) => permuted(random, size))

/** Units behind an odd function, such as tanh: signs pass through it. */
export const oddUnits = (id: string, size: number): Space =>
  simple(id, size, (random) => signed(random, size))

/**
 * Units that are a product of a gate and a linear part (SwiGLU): `gate` and `up` are reordered alike, and `up` has factors
 * that whoever reads the units undoes.
 */
export const gatedUnits = (id: string, size: number): Space => ({
  id,
  maps(seed, group) {
    const random = new SecretStream(seed, 'gated')
    const gate = permuted(random, size)
    const signs = random.signs(size)
    const scale = factors(random, size, group === 'bits').map((factor, i) => factor * signs[i])
    const each = Uint32Array.from({ length: size }, (_, i) => i)
    return { gate, up: chain(gate, monomial(each, scale)) }
  },
  sizeOf: () => size,
  folds: never,
})
