/** The weights that a party computes with, whatever profile encoded them. */
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import type { Lanes } from '../ring.ts'

/** A matrix as the integers that the plan multiplies by, row-major [k x n]. */
export type EncodedWeight = Int8Array | Int16Array | Int32Array

/** Matrices and bias rows by the names that plans give them. */
export interface HeldWeights {
  readonly weights: Map<string, Matrix>
  readonly biases: Map<string, Lanes>
}

/** One matrix as the plans of its model multiply by it. */
export interface EncodedMatrix {
  readonly name: string
  readonly k: number
  readonly n: number
  readonly data: EncodedWeight
  /** Rows that are added to what is multiplied by it, mod 2^64, at the scale at which a plan adds them. */
  readonly biases: readonly { readonly name: string; readonly data: Lanes }[]
}

/** Loads matrices as they come: no more than one of them is in memory twice. Throws what their encoding throws. */
export function loadWeights(kernels: Kernels, matrices: Iterable<EncodedMatrix>): HeldWeights {
  const out: HeldWeights = { weights: new Map(), biases: new Map() }
  for (const matrix of matrices) hold(kernels, out, matrix)
  return out
}

/** Loads one more matrix. */
export function hold(kernels: Kernels, { weights, biases }: HeldWeights, matrix: EncodedMatrix): void {
  weights.set(matrix.name, kernels.load(matrix.data, matrix.k, matrix.n))
  for (const { name, data } of matrix.biases) biases.set(name, data)
}
