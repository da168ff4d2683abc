import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { Evaluation } from '../finetune/task.ts'
import type { Precision, ValueKind } from './precision.ts'

/** What a batch gives: the mean loss, and gradients of the tensors as they were fed. */
export interface BatchResult {
  readonly loss: number
  readonly gradients: Map<string, Float32Array>
}

/** Root mean square and largest size of some values, in units; scores in octaves, the largest with its sign. */
interface Extent {
  readonly rms: number
  readonly most: number
}

/** Of queries and keys, values, what a feed-forward block's first product makes, the residual, sums of a row of its squares, scores. */
export type Measured = Readonly<Record<ValueKind, Extent>>

/** What a lowbit model learns, as the trainer of its stages sees it. */
export interface LowbitTask {
  readonly config: ModelConfig
  /** Steps that see every example once: of those that the teacher last named has examples for. */
  readonly perEpoch: number
  /**
   * Asks a teacher: the base itself, of texts without labels as well, or the same form with weights that are not rounded.
   */
  imitate(teacher: { tensors: Tensors; precision: Precision } | 'base'): Promise<void>
  /** The batch of a step of a stage, with the integers that the model has then. */
  gradient(ints: Tensors, precision: Precision, at: { stage: number; step: number }): Promise<BatchResult>
  /** On held-out examples. */
  evaluate(ints: Tensors, precision: Precision, seed: number): Promise<Evaluation>
  measure(ints: Tensors, precision: Precision, seed: number): Promise<Measured>
  close(): Promise<void>
}
