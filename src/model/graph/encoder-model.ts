/** The float reference of models that read whole texts. */
import type { ModelConfig, Tensors } from '../architectures/config.ts'
import { continuesText } from './graph-of.ts'
import { type FloatPrecision, Interpreter, type TextInput } from './interpret.ts'
import type { Tap } from './taps.ts'

/** What an encoder makes of a text. */
export interface EncoderOutput {
  /** Last hidden states, `[n, dim]`. */
  hidden: Float64Array
  /** `[labels]` of a classifier, `[n, vocab]` of a masked language model, absent without a head. */
  logits?: Float64Array
}

/** The float reference of a model that reads whole texts. */
export interface EncoderModel {
  readonly config: ModelConfig
  /** Throws a `RangeError` past the context, or on an id or type outside its table. */
  forward(input: TextInput): EncoderOutput
}

/** The float reference of an encoder. Throws for a model that continues texts: `floatModel` runs these. */
export function encoderModel(
  config: ModelConfig,
  tensors: Tensors,
  tap?: Tap,
  precision?: FloatPrecision,
): EncoderModel {
  if (continuesText(config)) throw new Error(`A model of form "${config.arch}" is not an encoder.`)
  const run = new Interpreter(config, tensors, tap, precision)
  return {
    config,
    forward(input) {
      const rows = run.hidden(input)
      const hidden = Float64Array.from(rows)
      const logits = run.head(rows, input.mask)
      return logits ? { hidden, logits: Float64Array.from(logits) } : { hidden }
    },
  }
}
