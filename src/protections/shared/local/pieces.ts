/** The pieces of a plan's split weights as the three parties hold them, cut in one process. */
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import type { Plan } from '../plan.ts'
import type { HeldWeights } from '../weights/held.ts'
import {
  betaPieces,
  dealerPieces,
  ownerPieces,
  type ReadPiece,
  type SplitSeeds,
  serverPieces,
} from '../weights/split.ts'

/** What each party holds of split weights. */
export interface PartyPieces {
  readonly owner: HeldWeights
  readonly server: HeldWeights
  readonly dealer: Map<string, Matrix>
}

/** W = F + G + beta by party: see `betaPieces`. Throws `RangeError` where `clear` lacks a weight. */
export function piecesOf(kernels: Kernels, plan: Plan, clear: HeldWeights, seeds: SplitSeeds): PartyPieces {
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
