/** The matrices that a data owner computes with. */

import { SessionError } from '../../../handshake/errors.ts'
import type { Kernels } from '../../../kernels/kernels.ts'
import type { Tensors } from '../../../model/architectures/config.ts'
import { type HeldWeights, loadWeights } from '../weights/held.ts'
import { ownerPieces } from '../weights/split.ts'
import type { ModelPlans } from './model-plan.ts'

/** The seeds that a session brings: the dealer's for split models alone. */
export interface OwnerSeeds {
  readonly server: Uint8Array
  readonly dealer?: Uint8Array
}

/** Public matrices in clear, and the owner's pieces of split ones. Throws `SessionError` where a seed is missing. */
export function ownerWeights(
  kernels: Kernels,
  plans: ModelPlans,
  tensors: Tensors,
  { server, dealer }: OwnerSeeds,
): HeldWeights {
  const clear = loadWeights(kernels, plans.model.encode(tensors, ['public']))
  if (!plans.isSplit) return clear
  if (!dealer)
    throw new SessionError('split-bundle-missing', 'The dealer has sent no seed of the split model.')
  const { weights, biases } = ownerPieces(kernels, plans.anyPlan, { f: dealer, g: server })
  for (const [name, matrix] of weights) clear.weights.set(name, matrix)
  for (const [name, bias] of biases) clear.biases.set(name, bias)
  return clear
}
