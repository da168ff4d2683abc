/** Which power of two a quantized model's weights are integers of. */
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import { WeightTable } from '../../../../model/graph/weights.ts'
import { CalibrationError } from '../errors.ts'
import { allMatrices, denseOf, type MatrixRole } from './matrices.ts'
import type { Quantization } from './quantization.ts'
import { LARGEST_WEIGHT } from './weights.ts'

/** Fraction bits that are tried, from the fewest on. */
const [LEAST, MOST] = [-16, 24]

/** The fewest fraction bits that make every number of a tensor an integer. Throws `CalibrationError` where none do. */
function fractionOf(tensor: string, layer: number, data: Float32Array): number {
  let frac = LEAST
  for (const v of data) while (frac <= MOST && !Number.isInteger(v * 2 ** frac)) frac++
  if (frac > MOST || data.some((v) => Math.abs(v) * 2 ** frac > LARGEST_WEIGHT))
    throw new CalibrationError(
      `Tensor "${tensor}" does not hold integers of at most ${LARGEST_WEIGHT} times one power of two, so its model is not quantized: sotto model lowbit makes one that is.`,
      { layer, tensors: [tensor] },
    )
  return frac
}

/** Whether every output has weights of one absolute value. */
function isBinary(data: Float32Array, inputs: number): boolean {
  return data.every((v, i) => Math.abs(v) === Math.abs(data[i - (i % inputs)]))
}

/** The fraction bits of all matrices, role by role, and how many bits a weight has beside its output's scale. */
export function weightFractions(
  config: ModelConfig,
  tensors: Tensors,
): Pick<Quantization, 'weights' | 'weightBits'> {
  const table = new WeightTable(config, tensors)
  const found = new Map<MatrixRole, number>()
  let isOneBit = true
  for (const place of allMatrices(config))
    for (const dense of denseOf(config, place)) {
      const data = table.matrix(dense)
      const frac = fractionOf(dense.weight, place.layer, data)
      found.set(place.role, Math.max(found.get(place.role) ?? LEAST, frac))
      if (place.role !== 'head') isOneBit &&= isBinary(data, dense.inputs)
    }
  const of = (role: MatrixRole): number => found.get(role) ?? 0
  const [qk, v, out, up, down] = (['qk', 'v', 'out', 'up', 'down'] as const).map(of)
  const head = found.has('head') ? { head: of('head') } : {}
  return { weights: { qk, v, out, up, down, ...head }, weightBits: isOneBit ? 1 : 4 }
}
