/** The weights of a hand-made plan, as the three parties hold them. */
import type { Kernels, Matrix } from '../kernels/kernels.ts'
import { maskLanes, SeededCorrelations } from './material.ts'
import type { Blinded, Plan, Shape } from './plan.ts'
import type { Prg } from './prg.ts'
import { add, type Lanes, maskOf, sub } from './ring.ts'

export type Values = ArrayLike<number | bigint>

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
): { weights: Map<string, Matrix>; differences: Map<string, Matrix>; stationary: Map<string, Lanes> } {
  const weights = new Map<string, Matrix>()
  const differences = new Map<string, Matrix>()
  const stationary = new Map<string, Lanes>()
  for (const [i, { name, k, n, ring, visibility }] of plan.weights.entries()) {
    const w = lanesOf(given[name], 64)
    weights.set(name, kernels.load(w, k, n))
    if (visibility === 'public') continue
    const F = new BigUint64Array(w.length)
    noise.fill(1000 + i, 0, ring, F, 0, F.length)
    differences.set(name, kernels.load(sub(w, F, ring), k, n))
    const step = plan.steps.filter((s) => s.op === 'linear')[i]
    const a = maskLanes(owner, shape, step.needs.server[0] as Blinded)
    const c = new SeededCorrelations(owner, shape).read(step, step.slots[0])
    stationary.set(name, add(kernels.matmul(a, a.length / k, kernels.load(F, k, n), ring), c, ring))
  }
  return { weights, differences, stationary }
}
