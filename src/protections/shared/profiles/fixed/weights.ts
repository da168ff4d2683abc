/** A model's tensors as the matrices and biases that plans of the `fixed` profile multiply by and add. */
import type { Kernels } from '../../../../kernels/kernels.ts'
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import type { ClearWeights } from '../../weights/held.ts'
import { encodeBias, encodeMatrix } from './encode.ts'
import { lowerMatrix } from './lower.ts'
import { allMatrices, type MatrixRole } from './matrices.ts'
import { type Precision, precisionOf, weightFrac } from './widths.ts'

/** Scale at which a plan adds a bias: the first feed-forward product is normalised before its bias comes. */
const biasFrac = (role: MatrixRole, p: Precision): number =>
  role === 'up' ? p.activation : p.activation + p.weight

/** One matrix as the plans of its model multiply by it. Throws `WeightError` where it does not fit. */
export function encodeWeight(config: ModelConfig, tensors: Tensors, layer: number, role: MatrixRole) {
  const p = precisionOf(config)
  const { matrix, bias, residual } = lowerMatrix(config, tensors, layer, role)
  const { name, k, n } = matrix
  return {
    ...{ name, k, n },
    data: encodeMatrix(matrix, weightFrac(role, p)),
    biases: [
      ...(bias ? [{ name: bias.name, data: encodeBias(bias, biasFrac(role, p)) }] : []),
      ...(residual ? [{ name: residual.name, data: encodeBias(residual, p.residual) }] : []),
    ],
  }
}

/** Encodes and loads every matrix that `wanted` accepts. Throws `WeightError`, or where a tensor is missing. */
export function loadWeights(
  kernels: Kernels,
  config: ModelConfig,
  tensors: Tensors,
  wanted: (layer: number, role: MatrixRole) => boolean,
): ClearWeights {
  const out: ClearWeights = { weights: new Map(), biases: new Map(), encoded: new Map() }
  for (const { layer, role } of allMatrices(config)) {
    if (!wanted(layer, role)) continue
    const { name, k, n, data, biases } = encodeWeight(config, tensors, layer, role)
    out.encoded.set(name, data)
    out.weights.set(name, kernels.load(data, k, n))
    for (const bias of biases) out.biases.set(bias.name, bias.data)
  }
  return out
}
