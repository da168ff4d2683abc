/** A model's tensors as the matrices and biases that plans of the `fixed` profile multiply by and add. */
import type { TensorLookup } from '../../../../model/architectures/config.ts'
import type { EncodedMatrix } from '../../weights/held.ts'
import type { ModelSpec } from './block.ts'
import { encodeBias, encodeMatrix } from './encode.ts'
import { lowerMatrix } from './lower.ts'
import type { MatrixRole } from './matrices.ts'
import { type Precision, precisionOf, weightFrac } from './widths.ts'

/** Scale at which a plan adds a bias: the first feed-forward product is normalised before its bias comes. */
const biasFrac = (role: MatrixRole, p: Precision): number =>
  role === 'up' ? p.activation : p.activation + p.weight

/** One matrix as the plans of its model multiply by it. Throws `WeightError` where it does not fit. */
export function encodeWeight(
  { config, weight }: Pick<ModelSpec, 'config' | 'weight'>,
  tensors: TensorLookup,
  layer: number,
  role: MatrixRole,
): EncodedMatrix {
  const p = precisionOf(config, weight)
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
