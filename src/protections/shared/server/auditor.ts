/** The server's audits of its dealer: a pass is dealt again with the owner's key of it. */
import { createHash } from 'node:crypto'
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import type { RowCache } from '../cache.ts'
import { type Auditor, type Digests, HashedPass } from '../session/audit.ts'
import { dealPass, type PassKeys } from '../session/deal-pass.ts'
import type { ModelPlans } from '../session/model-plan.ts'
import type { Turn } from '../session/turn.ts'
import type { Shape } from '../shape.ts'
import { difference } from '../weights/stationary.ts'

/** b = W - F of one private weight after another: together they are larger than the model, so one is kept at a time. */
class Differences {
  readonly #kernels: Kernels
  readonly #make: (name: string) => BigUint64Array | undefined
  readonly #sizes: ReadonlyMap<string, readonly [k: number, n: number]>
  #kept?: { readonly name: string; readonly matrix: Matrix }

  constructor(
    kernels: Kernels,
    plans: ModelPlans,
    weights: ReadonlyMap<string, Matrix>,
    stationaryKey: Uint8Array,
  ) {
    const uses = plans.privateWeights()
    this.#kernels = kernels
    this.#sizes = new Map(uses.map(({ name, k, n }) => [name, [k, n]]))
    this.#make = (name) => {
      const index = uses.findIndex((use) => use.name === name)
      const weight = weights.get(name)
      return weight && index >= 0 ? difference(kernels, stationaryKey, index, uses[index], weight) : undefined
    }
  }

  get(name: string): Matrix | undefined {
    if (this.#kept?.name === name) return this.#kept.matrix
    const [values, size] = [this.#make(name), this.#sizes.get(name)]
    if (!values || !size) return undefined
    this.free()
    const matrix = this.#kernels.load(values, ...size)
    this.#kept = { name, matrix }
    return matrix
  }

  free(): void {
    this.#kept?.matrix.free()
    this.#kept = undefined
  }
}

const hash = () => createHash('sha256')

/**
 * What a session of a model audits with. `stationaryKey` is that of the masks F, `sign` signs a verdict.
 */
export function auditorOf(
  kernels: Kernels,
  plans: ModelPlans,
  weights: ReadonlyMap<string, Matrix>,
  stationaryKey: Uint8Array,
  sign: Auditor['sign'],
): Auditor {
  async function dealt(shape: Shape, keys: PassKeys, cache: RowCache, turn: Turn): Promise<Digests> {
    const differences = new Differences(kernels, plans, weights, stationaryKey)
    const hashed = new HashedPass(hash, true)
    try {
      await dealPass(
        { plans, kernels, differences, keys, cache },
        shape,
        async (bytes, isKept) => hashed.update(bytes, isKept),
        turn,
      )
      return hashed.digests()
    } finally {
      differences.free()
    }
  }
  return {
    hash,
    expected: dealt,
    sign,
  }
}
