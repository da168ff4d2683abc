import type { Tensors } from '../../src/model/architectures/config.ts'
import type { PredictableRandom } from '../../src/model/random.ts'

/** Gradients of some examples, summed (not averaged) over them. */
export interface GradientSum {
  /** By name of the trained tensor. */
  sums: Map<string, Float32Array>
  /** Sum of the examples' losses, in nats. */
  loss: number
  /** How many examples' gradients were clipped; 0 without clipping. */
  clipped: number
}

export interface Evaluation {
  /** Mean loss in nats: for each example of a classifier, for each token of a language model. */
  loss: number
  /** Share of examples whose likeliest label is the right one; classifiers only. */
  accuracy?: number
}

/**
 * A model with data to fine-tune it on, as the trainer sees it. One example is what a private run protects: adding or
 * taking away an example changes its results by no more than epsilon and delta say.
 */
export interface Task {
  /** Number of training examples. */
  readonly examples: number
  /** The trained tensors only; the trainer updates their data in place. */
  readonly trained: Tensors
  /**
   * Gradients of the examples with these numbers. With `clip`, each example's gradient is first scaled down to that
   * norm over all trained tensors together. `random` is for dropout alone, which must be drawn anew for each example.
   */
  gradient(
    examples: ArrayLike<number>,
    options: { clip?: number; random: PredictableRandom },
  ): Promise<GradientSum>
  /** On the held-out data, with the given values in place of the trained tensors'. */
  evaluate(values: ReadonlyMap<string, Float32Array>): Promise<Evaluation>
  close(): Promise<void>
}
