/** The secret maps of attention: heads are shuffled, and inside each head queries and keys, and values and what reads them, cancel. */
import { factors, rotated, signed } from '../../src/protections/veiled/basis.ts'
import type { Group } from '../../src/protections/veiled/ends.ts'
import { chain, dual, type LinearMap, monomial, sideBySide } from '../../src/protections/veiled/linear-map.ts'
import { SecretStream } from '../../src/protections/veiled/secret-stream.ts'
import type { Space } from './space.ts'

/** Shape and kind of one layer's attention. */
export interface HeadShape {
  /** Of queries. */
  readonly heads: number
  /** Of keys and values; each serves heads / kvHeads neighbouring heads of queries. */
  readonly kvHeads: number
  /** Components of a head. */
  readonly width: number
  /**
   * What stands between a product and the scores: nothing; rotary positions, with which only rotations and factors of
   * pairs commute; or a norm of each head as well (QK-norm), which lets pass signs of pairs alone.
   */
  readonly between: 'nothing' | 'rotary' | 'norm'
}

const identities = (size: number): Uint32Array => Uint32Array.from({ length: size }, (_, i) => i)

/**
 * Parts: `query`, `key`, `value`, and `mixed`, the values' basis as the heads of queries have them, which the output
 * matrix reads.
 */
export function headSpace(id: string, shape: HeadShape): Space {
  const { heads, kvHeads, width } = shape
  return {
    id,
    maps(seed, group) {
      const random = new SecretStream(seed, 'heads')
      const per = heads / kvHeads
      const groups = [...random.permutation(kvHeads)]
      const queries = groups.flatMap((g) => [...random.permutation(per)].map((j) => g * per + j))
      const scores = groups.map(() => scoreMap(random, shape, group))
      const values = groups.map(() => mixer(random, width, group))
      const spread = (maps: LinearMap[]) => queries.map((_, h) => maps[Math.floor(h / per)])
      const [moveQueries, moveKeys] = [queries, groups].map((order) => moved(order, width))
      return {
        query: chain(moveQueries, sideBySide(spread(scores))),
        key: chain(moveKeys, sideBySide(scores.map(dual))),
        value: chain(moveKeys, sideBySide(values)),
        mixed: chain(moveQueries, sideBySide(spread(values))),
      }
    },
    sizeOf: (part) => (part === 'key' || part === 'value' ? kvHeads : heads) * width,
    folds: () => false,
  }
}

/** Whole heads in another order. */
const moved = (order: readonly number[], width: number): LinearMap =>
  monomial(Uint32Array.from(order.flatMap((h) => Array.from({ length: width }, (_, i) => h * width + i))))

/** What queries of a head are mapped by; keys get its dual. */
function scoreMap(random: SecretStream, { width, between }: HeadShape, group: Group): LinearMap {
  if (between === 'nothing') return mixer(random, width, group)
  const pairs = width / 2
  if (between === 'norm') {
    const signs = random.signs(pairs)
    return monomial(identities(width), Float64Array.from([...signs, ...signs]))
  }
  const scale = factors(random, pairs, group === 'bits')
  if (group === 'bits') return quarterTurns(random, scale)
  const angles = scale.map(() => 2 * Math.PI * random.uniform())
  const part = (of: (angle: number) => number) => scale.map((s, i) => s * of(angles[i]))
  return { size: width, steps: [{ kind: 'pairs', head: width, re: part(Math.cos), im: part(Math.sin) }] }
}

/** Pairs turned by multiples of a right angle: components change places and signs. */
function quarterTurns(random: SecretStream, factor: Float64Array): LinearMap {
  const half = factor.length
  const from = identities(2 * half)
  const scale = new Float64Array(2 * half)
  for (let i = 0; i < half; i++) {
    const turns = random.below(4)
    const [re, im] = [[1, 0, -1, 0][turns], [0, 1, 0, -1][turns]]
    if (im !== 0) {
      from[i] = i + half
      from[i + half] = i
    }
    scale[i] = factor[i] * (re - im)
    scale[i + half] = factor[i] * (re + im)
  }
  return monomial(from, scale)
}

/** Any invertible map would do. One of condition at most 4, so that little precision is lost. */
function mixer(random: SecretStream, size: number, group: Group): LinearMap {
  const scaled = monomial(identities(size), factors(random, size, group === 'bits'))
  return group === 'bits'
    ? chain(signed(random, size), scaled)
    : chain(rotated(random, size), scaled, rotated(random, size))
}
