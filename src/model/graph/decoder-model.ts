/** The float reference of models that continue a text. */
import type { ModelConfig, Tensors } from '../architectures/config.ts'
import { softcap } from '../math.ts'
import { continuesText } from './graph-of.ts'
import { type FloatPrecision, Interpreter } from './interpret.ts'
import type { Tap } from './taps.ts'

/** A float model with its key/value cache. */
export interface FloatModel {
  readonly config: ModelConfig
  /** Tokens seen since the last reset. */
  readonly position: number
  /**
   * Continue with `ids` and return logits: `[n, vocab]` for 'all', `[vocab]` for 'last' (the default).
   * Throws a `RangeError` past the context or on an id outside the vocabulary.
   */
  forward(ids: ArrayLike<number>, logits?: 'all' | 'last'): Float64Array
  /** Forget everything after `position` tokens. */
  rewind(position?: number): void
}

/** The float reference of a causal model. Throws for a model that reads whole texts: `encoderModel` runs these. */
export function floatModel(
  config: ModelConfig,
  tensors: Tensors,
  tap?: Tap,
  precision?: FloatPrecision,
): FloatModel {
  if (!continuesText(config)) throw new Error(`A model of form "${config.arch}" does not continue a text.`)
  const run = new Interpreter(config, tensors, tap, precision)
  return {
    config,
    get position() {
      return run.position
    },
    rewind: (to = 0) => run.rewind(to),
    forward(ids, logits = 'last') {
      const rows = run.hidden({ ids })
      const found = run.head(logits === 'all' ? rows : rows.subarray(rows.length - config.dim))!
      return Float64Array.from(found, (logit) => softcap(logit, config.logitCap))
    },
  }
}
