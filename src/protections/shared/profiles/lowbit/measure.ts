/** Measures what a quantized model's activations span, and chooses the fractions and rings that hold them. */
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import { Interpreter } from '../../../../model/graph/interpret.ts'
import type { Tap, TapName } from '../../../../model/graph/taps.ts'
import { CalibrationError } from '../errors.ts'
import type { Measurement, Sequence } from '../workshop.ts'
import { type Form, formOf } from './form.ts'
import { weightFractions } from './fractions.ts'
import type { Quantization } from './quantization.ts'
import { STREAM_FRACTION } from './widths.ts'

/** Fraction bits of activations. */
const ACTIVATION = 3
/** Standard deviations that are aimed for, in units. */
const UNITS = { qk: 16, v: 8, g: 8 }
/** How far beyond what was measured a value may go. */
const ROOM = 1.5
/** Fewest bits of what a sign or a line is looked up of. */
const LEAST_GATE = 8
/** Bits that a gated block's product drops: with a linear gate, its two factors have more bits than lines have. */
const DROP = { linear: 4, tabulated: 3 }

/** The spread and the largest magnitude of a kind of value. */
class Span {
  most = 0
  #squares = 0
  #count = 0

  add(values: Float64Array, scale: (i: number) => number = () => 1): void {
    for (let i = 0; i < values.length; i++) {
      const v = values[i] * scale(i)
      this.most = Math.max(this.most, Math.abs(v))
      this.#squares += v * v
    }
    this.#count += values.length
  }

  /** Fraction bits that make the standard deviation so many units, but no more than `most`. */
  fraction(units: number, most: number): number {
    const std = Math.sqrt(this.#squares / Math.max(1, this.#count))
    return Math.min(most, Math.round(Math.log2(units / Math.max(std, 2 ** -20))))
  }

  /** Bits of the largest magnitude at so many fraction bits. */
  bits(fraction: number): number {
    return Math.ceil(Math.log2(Math.max(1, this.most * ROOM * 2 ** fraction)))
  }
}

/** A measurement over texts, some at a time. Throws `CalibrationError` where the weights are not quantized. */
export class QuantizationMeasurement implements Measurement {
  readonly #config: ModelConfig
  readonly #tensors: Tensors
  readonly #form: Form
  readonly #weights: Pick<Quantization, 'weights' | 'weightBits'>
  readonly #spans = { qk: new Span(), v: new Span(), g: new Span(), y: new Span() }
  /** The largest mean square of the raw stream, and the largest score in octaves. */
  #meanSquare = 0
  #score = Number.NEGATIVE_INFINITY
  /** What the last norm divides each row by: where it is applied behind a block, that reads rows as many times larger. */
  #roots: Float64Array = new Float64Array()

  constructor(config: ModelConfig, tensors: Tensors) {
    this.#config = config
    this.#tensors = tensors
    this.#form = formOf(config)
    this.#weights = weightFractions(config, tensors)
  }

  add(sequences: Iterable<Sequence>, tap?: Tap): void {
    const model = new Interpreter(this.#config, this.#tensors, (name, layer, values) => {
      tap?.(name, layer, values)
      this.#see(name, values)
    })
    for (const sequence of sequences) {
      const text = Array.isArray(sequence) ? { ids: sequence } : sequence
      model.rewind(0)
      this.#roots = new Float64Array(text.ids.length).fill(1)
      model.hidden(text)
    }
  }

  get entry(): Quantization {
    const { qk, v, g, y } = this.#spans
    if (y.most === 0) throw new CalibrationError('Nothing was measured: there was no text.')
    const { weights, weightBits } = this.#weights
    const x = ACTIVATION
    const stream = x + STREAM_FRACTION
    const values = v.fraction(UNITS.v, x + weights.v)
    const gate = g.fraction(UNITS.g, (this.#form.isCausal ? x : stream) + weights.up)
    const units = this.#config.dim * 4 ** stream
    return {
      ...{ weightBits, weights, x, v: values, g: gate },
      // A score has twice the fraction bits, of which five are kept.
      qk: Math.max(3, qk.fraction(UNITS.qk, x + weights.qk)),
      th: this.#form.isGated ? DROP[this.#form.activation === 'linear' ? 'linear' : 'tabulated'] : 0,
      cap: Math.max(0, Math.ceil(this.#score + 0.5)),
      rings: {
        v: v.bits(values),
        g: Math.max(LEAST_GATE, g.bits(gate) + 2),
        y: y.bits(stream) + 2,
        sq: Math.ceil(Math.log2(this.#meanSquare * ROOM ** 2 * units)),
      },
    }
  }

  #see(name: TapName, values: Float64Array): void {
    const { isCausal } = this.#form
    const { qk, v, g, y } = this.#spans
    const perRow = (i: number): number => this.#roots[Math.floor((i * this.#roots.length) / values.length)]
    const raw = isCausal ? undefined : perRow
    if (name === 'query' || name === 'key') qk.add(values)
    else if (name === 'value') v.add(values)
    else if (name === 'gate' || name === 'up') g.add(values, raw)
    else if (name === 'attention-logits')
      for (const score of values) this.#score = Math.max(this.#score, score / Math.LN2)
    else if (name.endsWith('-mean-square')) {
      for (const square of values) this.#meanSquare = Math.max(this.#meanSquare, square)
      if (name === 'feed-forward-mean-square') this.#roots = values.map(Math.sqrt)
    } else if (name === 'feed-forward-input') y.add(values)
    // What a layer leaves is divided already where its norm is applied behind it.
    else if (name.endsWith('-input')) y.add(values, raw)
  }
}
