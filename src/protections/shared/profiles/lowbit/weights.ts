/** A model's tensors as the small integers that plans of the `lowbit` profile multiply by. */
import type { ModelConfig } from '../../../../model/architectures/config.ts'
import type { WeightTable } from '../../../../model/graph/weights.ts'
import { fromFloats } from '../../ring.ts'
import type { EncodedMatrix } from '../../weights/held.ts'
import { WeightError } from './errors.ts'
import { denseOf, hasBias, type MatrixPlace, matrixName } from './matrices.ts'
import type { Quantization } from './quantization.ts'

/** Largest integer of a weight: products of bytes by it are exact on every processor's int8 instructions. */
export const LARGEST_WEIGHT = 64

/** What a float may be off an integer: half precision is exact here, and single precision nearly. */
const TOLERANCE = 2 ** -10

/** Fraction bits of what a matrix multiplies, where it has a bias. */
const inputFraction = (q: Quantization, { role }: MatrixPlace): number => (role === 'out' ? q.v + 1 : q.x)

/** Throws `WeightError` where a tensor holds anything but integers of at most 7 bits, times 2^-fraction. */
export function encodeWeight(
  config: ModelConfig,
  q: Quantization,
  table: WeightTable,
  place: MatrixPlace,
): EncodedMatrix {
  const name = matrixName(place)
  const parts = denseOf(config, place)
  const frac = q.weights[place.role]
  if (frac === undefined) throw new WeightError(name, 'has no fraction bits in the manifest')
  const k = parts[0].inputs
  const n = parts.reduce((sum, { outputs }) => sum + outputs, 0)
  const data = new Int8Array(k * n)
  const scale = 2 ** frac
  let column = 0
  for (const dense of parts) {
    const w = table.matrix(dense)
    for (let j = 0, at = 0; j < dense.outputs; j++, column++)
      for (let i = 0; i < k; i++, at++) {
        const value = w[at] * scale
        const whole = Math.round(value)
        if (!(Math.abs(value - whole) <= TOLERANCE) || Math.abs(whole) > LARGEST_WEIGHT)
          throw new WeightError(
            name,
            `holds ${w[at]}, which is no integer of at most ${LARGEST_WEIGHT} times 2^${-frac}`,
          )
        data[i * n + column] = whole
      }
  }
  if (!hasBias(config, place)) return { name, k, n, data, biases: [] }
  const unit = 2 ** (inputFraction(q, place) + frac)
  const bias = parts.flatMap((dense) => [...(table.bias(dense) ?? new Float32Array(dense.outputs))])
  const row = fromFloats(Float64Array.from(bias, (b) => Math.round(b * unit)))
  return { name, k, n, data, biases: [{ name, data: row }] }
}
