/**
 * Weights that no party has all of: W = F + G + beta mod 2^ring, biases alike. F and G are keystreams, so of the three
 * pieces two cost a seed; beta is what is left of W, uniform to everybody who lacks one of the seeds.
 */
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import { companion } from '../ops/linear-split.ts'
import type { BiasUse, Plan, WeightUse } from '../plan.ts'
import { deriveKey, Prg } from '../prg.ts'
import { add, type Lanes, sub } from '../ring.ts'
import type { HeldWeights } from './held.ts'

/** 32 bytes each. F's is for owner and dealer alone, G's for owner and server alone. */
export interface SplitSeeds {
  readonly f: Uint8Array
  readonly g: Uint8Array
}

/** One piece of a split weight or bias, as it lies in a file: `count` elements of `bits` bits. */
export interface Piece {
  readonly name: string
  readonly bits: number
  readonly count: number
}

/** Hands out beta, piece after piece in the order of `splitPieces`. */
export type ReadPiece = (piece: Piece) => Lanes

/** Biases have no ring of their own: they are added in whatever ring their product has. */
const BIAS_BITS = 64

/** The split weights of a plan, in its order. */
export const splitWeights = (plan: Plan): WeightUse[] => plan.weights.filter((w) => w.visibility === 'split')

/** What beta consists of, in order: every split matrix [k x n], then every bias row [n]. */
export const splitPieces = (plan: Plan): Piece[] => [
  ...splitWeights(plan).map(({ name, ring, k, n }) => ({ name, bits: ring, count: k * n })),
  ...plan.splitBiases.map(({ name, n }) => ({ name, bits: BIAS_BITS, count: n })),
]

/** The keystream pieces of one seed. */
class Keystreams {
  readonly #prg: Prg
  readonly #plan: Plan

  constructor(kernels: Kernels, plan: Plan, seed: Uint8Array) {
    this.#prg = new Prg(kernels, deriveKey(kernels, seed, 'split'))
    this.#plan = plan
  }

  matrix({ index, ring, k, n }: WeightUse): Lanes {
    return this.#fill(index, 0, ring, k * n)
  }

  bias(use: BiasUse): Lanes {
    return this.#fill(this.#plan.splitBiases.indexOf(use), 1, BIAS_BITS, use.n)
  }

  /** Serial 0 has a stream for each weight, by its index in the model; serial 1 one for each bias, by its place. */
  #fill(stream: number, serial: number, bits: number, n: number): Lanes {
    const out = new BigUint64Array(n)
    this.#prg.fill(stream, serial, bits, out, 0, n, 8)
    return out
  }
}

/** beta = W - F - G, piece after piece in the order of `splitPieces`. Throws `RangeError` where `clear` lacks a weight. */
export function* betaPieces(
  kernels: Kernels,
  plan: Plan,
  seeds: SplitSeeds,
  clear: HeldWeights,
): Generator<Piece & { readonly beta: Lanes }> {
  const [f, g] = [seeds.f, seeds.g].map((seed) => new Keystreams(kernels, plan, seed))
  for (const use of splitWeights(plan)) {
    const { name, ring, k, n } = use
    const w = clear.weights.get(name)
    if (!w) throw new RangeError(`the weight '${name}' is not loaded`)
    const beta = sub(sub(kernels.read(w, 0, k), f.matrix(use), ring), g.matrix(use), ring)
    yield { name, bits: ring, count: k * n, beta }
  }
  for (const use of plan.splitBiases) {
    const b = clear.biases.get(use.name)
    if (!b) throw new RangeError(`the bias '${use.name}' is not loaded`)
    const beta = sub(sub(b, f.bias(use), BIAS_BITS), g.bias(use), BIAS_BITS)
    yield { name: use.name, bits: BIAS_BITS, count: use.n, beta }
  }
}

/** The owner's pieces: F + G. */
export function ownerPieces(kernels: Kernels, plan: Plan, seeds: SplitSeeds): HeldWeights {
  const [f, g] = [seeds.f, seeds.g].map((seed) => new Keystreams(kernels, plan, seed))
  return {
    weights: new Map(
      splitWeights(plan).map((use) => {
        const sum = add(f.matrix(use), g.matrix(use), use.ring)
        return [use.name, kernels.load(sum, use.k, use.n)]
      }),
    ),
    biases: new Map(plan.splitBiases.map((use) => [use.name, add(f.bias(use), g.bias(use), BIAS_BITS)])),
  }
}

/** The server's pieces: beta under a weight's name, G + beta under its companion's. */
export function serverPieces(kernels: Kernels, plan: Plan, g: Uint8Array, read: ReadPiece): HeldWeights {
  const own = new Keystreams(kernels, plan, g)
  const weights = new Map<string, Matrix>()
  for (const use of splitWeights(plan)) {
    const { name, ring, k, n } = use
    const beta = read({ name, bits: ring, count: k * n })
    weights.set(name, kernels.load(beta, k, n))
    weights.set(companion(name), kernels.load(add(beta, own.matrix(use), ring), k, n))
  }
  return { weights, biases: readBiases(plan, read) }
}

/** The dealer's pieces: beta under a weight's name, F under its companion's. Biases are none of its business. */
export function dealerPieces(
  kernels: Kernels,
  plan: Plan,
  f: Uint8Array,
  read: ReadPiece,
): Map<string, Matrix> {
  const own = new Keystreams(kernels, plan, f)
  const out = new Map<string, Matrix>()
  for (const use of splitWeights(plan)) {
    const { name, ring, k, n } = use
    out.set(name, kernels.load(read({ name, bits: ring, count: k * n }), k, n))
    out.set(companion(name), kernels.load(own.matrix(use), k, n))
  }
  return out
}

const readBiases = (plan: Plan, read: ReadPiece): Map<string, Lanes> =>
  new Map(plan.splitBiases.map(({ name, n }) => [name, read({ name, bits: BIAS_BITS, count: n })]))
