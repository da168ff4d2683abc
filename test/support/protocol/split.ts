/** The pieces of a plan's split weights as the three parties hold them, cut in this process: for tests and benches. */
import type { Kernels, Matrix } from '../../../src/kernels/kernels.ts'
import type { Plan } from '../../../src/protections/shared/plan.ts'
import type { ClearWeights, HeldWeights } from '../../../src/protections/shared/weights/held.ts'
import {
  betaPieces,
  dealerPieces,
  ownerPieces,
  type ReadPiece,
  type SplitSeeds,
  serverPieces,
} from '../../../src/protections/shared/weights/split.ts'

export interface AllPieces {
  readonly owner: HeldWeights
  readonly server: HeldWeights
  readonly dealer: Map<string, Matrix>
}

export const splitSeeds = (n = 1): SplitSeeds => ({
  f: new Uint8Array(32).fill(60 + n),
  g: new Uint8Array(32).fill(160 + n),
})

export function allPieces(
  kernels: Kernels,
  plan: Plan,
  clear: Pick<ClearWeights, 'encoded' | 'biases'>,
  seeds = splitSeeds(),
): AllPieces {
  const all = [...betaPieces(kernels, plan, seeds, clear)]
  const reader = (): ReadPiece => {
    let at = 0
    return () => all[at++].beta
  }
  return {
    owner: ownerPieces(kernels, plan, seeds),
    server: serverPieces(kernels, plan, seeds.g, reader()),
    dealer: dealerPieces(kernels, plan, seeds.f, reader()),
  }
}

/** What a party computes with: its own weights in clear, and its pieces of the split ones in place of the whole. */
export const withPieces = (clear: HeldWeights, pieces: HeldWeights): HeldWeights => ({
  weights: new Map([...clear.weights, ...pieces.weights]),
  biases: new Map([...clear.biases, ...pieces.biases]),
})
