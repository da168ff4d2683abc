/** The weights of a hand-made plan, as the three parties hold them. */
import type { Kernels, Matrix } from '../../../src/kernels/kernels.ts'
import { maskLanes } from '../../../src/protections/shared/correlations/keystreams.ts'
import { SeededCorrelations } from '../../../src/protections/shared/correlations/seeded.ts'
import { type PartyPieces, piecesOf } from '../../../src/protections/shared/local/pieces.ts'
import type { Plan } from '../../../src/protections/shared/plan.ts'
import type { Prg } from '../../../src/protections/shared/prg.ts'
import { add, type Lanes, maskOf, sub } from '../../../src/protections/shared/ring.ts'
import type { Shape } from '../../../src/protections/shared/shape.ts'
import type { Masked } from '../../../src/protections/shared/values.ts'
import type { HeldWeights } from '../../../src/protections/shared/weights/held.ts'
import { splitSeeds } from './local-keys.ts'

export type Values = ArrayLike<number | bigint>

/** `weights` are whole, for the plain view; `owner` and `server` hold pieces of those that are split. */
export interface TrialWeights {
  readonly weights: Map<string, Matrix>
  readonly differences: Map<string, Matrix>
  readonly stationary: Map<string, Lanes>
  readonly owner: HeldWeights
  readonly server: HeldWeights
}

/** Integers mod 2^ring. */
export const lanesOf = (values: Values, ring: number): Lanes =>
  BigUint64Array.from(Array.from(values), (v) => BigInt.asUintN(64, BigInt(v)) & maskOf(ring))

/** Loads the weights, makes a stationary mask for each private one, and the owner's products with it. */
export function trialWeights(
  kernels: Kernels,
  plan: Plan,
  shape: Shape,
  { owner, noise }: { owner: Prg; noise: Prg },
  given: Readonly<Record<string, Values>>,
): TrialWeights {
  const weights = new Map<string, Matrix>()
  const differences = new Map<string, Matrix>()
  const stationary = new Map<string, Lanes>()
  let privates = 0
  for (const [i, { name, k, n, ring, visibility }] of plan.weights.entries()) {
    const w = lanesOf(given[name], 64)
    weights.set(name, kernels.load(w, k, n))
    if (visibility !== 'private') continue
    const F = new BigUint64Array(w.length)
    noise.fill(1000 + i, 0, ring, F, 0, F.length)
    differences.set(name, kernels.load(sub(w, F, ring), k, n))
    const step = plan.steps.filter((s) => s.op === 'linearPrivate')[privates++]
    const a = maskLanes(owner, shape, step.needs.server[0] as Masked)
    const c = new SeededCorrelations(owner, shape).read(step, step.slots[0])
    stationary.set(name, add(kernels.matmul(a, a.length / k, kernels.load(F, k, n), ring), c, ring))
  }
  const pieces = trialPieces(kernels, plan, given)
  for (const [name, matrix] of pieces.dealer) differences.set(name, matrix)
  return { weights, differences, stationary, owner: pieces.owner, server: pieces.server }
}

/** The split weights of a hand-made plan, cut by fixed seeds; the biases given are cut with them. */
function trialPieces(kernels: Kernels, plan: Plan, given: Readonly<Record<string, Values>>): PartyPieces {
  const weights = new Map(
    plan.weights.map(({ name, k, n }) => [name, kernels.load(lanesOf(given[name], 64), k, n)]),
  )
  const biases = new Map(plan.splitBiases.map(({ name }) => [name, lanesOf(given[biasName(name)], 64)]))
  return piecesOf(kernels, plan, { weights, biases }, splitSeeds())
}

/** What a trial's bias is called among its weights: matrix and bias of a model have one name. */
export const biasName = (weight: string): string => `${weight} bias`
