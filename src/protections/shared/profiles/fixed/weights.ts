/** The weights that each party computes with, from a model's tensors. */

import type { Kernels, Matrix } from '../../../../kernels/kernels.ts'
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import type { Plan, WeightUse } from '../../plan.ts'
import { nonce, Prg } from '../../prg.ts'
import { type Lanes, maskOf } from '../../ring.ts'
import { encodeBias, encodeMatrix } from './encode.ts'
import { lowerMatrix } from './lower.ts'
import { allMatrices, type MatrixRole } from './matrices.ts'
import { type Precision, precisionOf, weightFrac } from './widths.ts'

/** Matrices in the clear, as a holder of their tensors loads them. */
export interface ClearWeights {
  readonly weights: Map<string, Matrix>
  readonly biases: Map<string, Lanes>
  /** The encoded integers, for making differences and hashes. */
  readonly encoded: Map<string, Int16Array | Int32Array>
}

/** Scale at which a plan adds a bias: the first feed-forward product is normalised before its bias comes. */
const biasFrac = (role: MatrixRole, p: Precision): number =>
  role === 'up' ? p.activation : p.activation + p.weight

/** Encodes and loads every matrix that `wanted` accepts. Throws when a tensor is missing or does not fit. */
export function loadWeights(
  kernels: Kernels,
  config: ModelConfig,
  tensors: Tensors,
  wanted: (layer: number, role: MatrixRole) => boolean,
  p: Precision = precisionOf(config),
): ClearWeights {
  const out: ClearWeights = { weights: new Map(), biases: new Map(), encoded: new Map() }
  for (const { layer, role } of allMatrices(config)) {
    if (!wanted(layer, role)) continue
    const { matrix, bias, residual } = lowerMatrix(config, tensors, layer, role)
    const data = encodeMatrix(matrix, weightFrac(role, p))
    out.encoded.set(matrix.name, data)
    out.weights.set(matrix.name, kernels.load(data, matrix.k, matrix.n))
    if (bias) out.biases.set(bias.name, encodeBias(bias, biasFrac(role, p)))
    if (residual) out.biases.set(residual.name, encodeBias(residual, p.residual))
  }
  return out
}

/** The private weights of a plan, in order: the index is what tells their stationary masks apart. */
export const privateWeights = (plan: Plan): WeightUse[] =>
  plan.weights.filter((w) => w.visibility === 'private')

/** Nonce of a private weight's stationary mask. */
export const stationaryNonce = (index: number): Uint8Array => nonce(index, 0)

/** b = W - F mod 2^ring: what the dealer multiplies by. It is uniform, because F is. */
export function difference(
  kernels: Kernels,
  key: Uint8Array,
  index: number,
  use: WeightUse,
  w: ArrayLike<number>,
): Lanes {
  const out = new BigUint64Array(w.length)
  new Prg(kernels, key).fill(index, 0, use.ring, out, 0, w.length, 8)
  const m = maskOf(use.ring)
  const signed = BigInt64Array.from({ length: w.length }, (_, i) => BigInt(w[i]))
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, signed[i] - out[i]) & m
  return out
}
