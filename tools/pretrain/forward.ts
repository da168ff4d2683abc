import {
  adapterName,
  isAdapted,
  type ModelConfig,
  tensorShapes,
} from '../../src/model/architectures/config.ts'
import { headNames } from '../../src/model/architectures/encoder.ts'
import { activate, tanh } from '../onnx/activation.ts'
import { type Adapter, dense } from '../onnx/dense.ts'
import { layerNorm } from '../onnx/layer-norm.ts'
import { add, joinHeads, splitHeads } from '../onnx/layers.ts'
import { maskedAttention } from '../onnx/masked-attention.ts'
import type { Parameters } from '../onnx/parameters.ts'
import { firstRows, pickRows } from '../onnx/select.ts'
import type { Tape, Value } from '../onnx/tape.ts'

const poolerName = (config: ModelConfig): string => headNames(config).pool

/** The inputs that every encoder graph has. */
export interface EncoderInputs {
  /** Token ids, `[examples * length]`. */
  ids: Value
  /** Token types, `[examples * length]`. */
  types: Value
  /** `[examples, 1, 1, length]`: 0 for tokens, very negative for padding. */
  mask: Value
}

/** A BERT or RoBERTa on a tape: the same formulas as the float reference, in batches of one length. */
export class EncoderGraph {
  readonly tape: Tape
  readonly config: ModelConfig
  readonly examples: number
  readonly length: number
  readonly weights = new Map<string, Value>()
  readonly inputs: EncoderInputs
  /** Sum of the three embeddings, before its norm. */
  readonly embedded: Value
  readonly #parameters: Parameters

  /**
   * `parameters` is made from the weights, because clipping must know which of them are trained; `extra` are tensors
   * that the configuration does not name.
   */
  constructor(
    tape: Tape,
    config: ModelConfig,
    [examples, length]: [number, number],
    parameters: (weights: ReadonlyMap<string, Value>) => Parameters,
    extra: ReadonlyMap<string, number[]> = new Map(),
  ) {
    this.tape = tape
    this.config = config
    this.examples = examples
    this.length = length
    for (const [name, shape] of [...tensorShapes(config), ...extra])
      this.weights.set(name, tape.input(name, shape))
    const n = examples * length
    this.inputs = {
      ids: tape.input('ids', [n], 'int64'),
      types: tape.input('types', [n], 'int64'),
      mask: tape.input('mask', [examples, 1, 1, length]),
    }
    this.#parameters = parameters(this.weights)
    this.embedded = this.#embed()
  }

  weight(name: string): Value {
    const value = this.weights.get(name)
    if (!value) throw new Error(`The model has no tensor "${name}".`)
    return value
  }

  dense(x: Value, name: string): Value {
    const [weight, bias] = [this.weight(`${name}.weight`), this.weight(`${name}.bias`)]
    return dense(this.tape, this.#parameters, x, weight, bias, this.#adapter(`${name}.weight`))
  }

  #adapter(weight: string): Adapter | undefined {
    const { lora } = this.config
    if (!lora || !isAdapted(this.config, weight)) return undefined
    const [a, b] = [this.weight(adapterName(weight, 'A')), this.weight(adapterName(weight, 'B'))]
    return { a, b, scale: lora.alpha / lora.rank }
  }

  norm(x: Value, name: string): Value {
    const [gain, shift] = [this.weight(`${name}.weight`), this.weight(`${name}.bias`)]
    return layerNorm(this.tape, this.#parameters, x, gain, shift, this.config.eps)
  }

  #embed(): Value {
    const { tape: t, config: c, examples, length } = this
    const table = (name: string) => this.weight(`${c.arch}.embeddings.${name}_embeddings.weight`)
    const n = examples * length
    const rows = (name: string, ids: Value) => t.op('Gather', [table(name), ids], [n, c.dim], { axis: 0 })
    const offset = c.positionOffset ?? 0
    const places = BigInt64Array.from({ length: n }, (_, i) => BigInt((i % length) + offset))
    const sum = t.map('Add', rows('word', this.inputs.ids), rows('token_type', this.inputs.types))
    return t.map('Add', sum, rows('position', t.constant(places, [n])))
  }

  /** Last hidden states, `[examples * length, dim]`. */
  hidden(): Value {
    const { config: c } = this
    let x = this.norm(this.embedded, `${c.arch}.embeddings.LayerNorm`)
    for (let l = 0; l < c.layers; l++) x = this.#layer(x, `${c.arch}.encoder.layer.${l}.`)
    return x
  }

  #layer(x: Value, at: string): Value {
    const { tape: t, config: c } = this
    const [q, k, v] = ['query', 'key', 'value'].map((name) =>
      splitHeads(t, this.dense(x, `${at}attention.self.${name}`), this.examples, this.length, c.heads),
    )
    const mixed = joinHeads(t, maskedAttention(t, c, q, k, v, this.inputs.mask))
    const x2 = this.norm(
      add(t, x, this.dense(mixed, `${at}attention.output.dense`)),
      `${at}attention.output.LayerNorm`,
    )
    const h = activate(t, this.dense(x2, `${at}intermediate.dense`), c.activation)
    return this.norm(add(t, x2, this.dense(h, `${at}output.dense`)), `${at}output.LayerNorm`)
  }

  /** Pooler: tanh of a dense layer of each example's first row, `[examples, dim]`. */
  pooled(hidden: Value): Value {
    return tanh(this.tape, this.dense(firstRows(this.tape, hidden, this.examples), poolerName(this.config)))
  }

  /** Scores of the vocabulary at the given rows, `[m, vocab]`, by the tied decoder. */
  tokenLogits(hidden: Value, rows: Value): Value {
    const { tape: t, config: c } = this
    if (!c.tied) throw new Error('Masked-token training supports tied decoders only.')
    const names = headNames(c)
    const picked = pickRows(t, hidden, rows)
    const n = this.norm(activate(t, this.dense(picked, names.transform), c.activation), names.transformNorm)
    const table = this.weight(`${c.arch}.embeddings.word_embeddings.weight`)
    return dense(t, this.#parameters, n, table, this.weight(names.decoderBias))
  }
}
