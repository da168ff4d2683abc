import type { Tensors } from '../../src/model/architectures/config.ts'

/** A batch of token windows: `rows` windows of `length + 1` ids; each id predicts the next. */
export interface Batch {
  rows: number
  length: number
  /** Row-major `[rows, length + 1]`. */
  ids: Int32Array
}

export interface LossAndGradients {
  /** Mean cross-entropy in nats per token. */
  loss: number
  /** One gradient per weight, same names and layout. */
  gradients: Map<string, Float32Array>
}

/** Computes the training loss and its gradient; engines must agree to rounding. */
export interface GradientEngine {
  readonly name: string
  run(weights: Tensors, batch: Batch): Promise<LossAndGradients>
  close(): Promise<void>
}
