/** The weights that a party computes with, whatever profile encoded them. */
import type { Matrix } from '../../../kernels/kernels.ts'
import type { Lanes } from '../ring.ts'

/** A matrix as the integers that the plan multiplies by, row-major [k x n]. */
export type EncodedWeight = Int8Array | Int16Array | Int32Array

/** Matrices and bias rows by the names that plans give them. */
export interface HeldWeights {
  readonly weights: Map<string, Matrix>
  readonly biases: Map<string, Lanes>
}

/** Those in the clear, as a holder of their tensors loads them. */
export interface ClearWeights extends HeldWeights {
  /** What the matrices were loaded from, for making differences and pieces. */
  readonly encoded: Map<string, EncodedWeight>
}

/** An encoded weight's integers mod 2^64. */
export const encodedLanes = (w: EncodedWeight): Lanes =>
  new BigUint64Array(BigInt64Array.from({ length: w.length }, (_, i) => BigInt(w[i])).buffer)
