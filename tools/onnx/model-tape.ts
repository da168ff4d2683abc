import type { PoolActivation } from '../../src/model/architectures/architecture.ts'
import { embeddingWidth, type ModelConfig } from '../../src/model/architectures/config.ts'
import { architectureOf } from '../../src/model/architectures/registry.ts'
import type { Dense, Layer, ModelGraph, Norm } from '../../src/model/graph/graph.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { adapterName, isAdapted } from '../../src/model/graph/lora.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { scoreScale } from '../../src/model/score-scale.ts'
import { activate, tanh } from './activation.ts'
import { attention } from './attention.ts'
import { type Adapter, dense } from './dense.ts'
import * as layer from './layers.ts'
import { layerNorm, rmsNorm, unitNorm } from './norm.ts'
import type { Parameters } from './parameters.ts'
import { type AttentionConstants, attentionConstants } from './positions.ts'
import { firstRows, pickRows } from './select.ts'
import type { Tape, Value } from './tape.ts'

/** What a model reads, for texts of one length, row after row. */
export interface TapeInputs {
  /** Token ids, `[examples * length]`. */
  ids: Value
  /** Of models that read whole texts: token types `[examples * length]`. */
  types?: Value
  /** And `[examples, 1, 1, length]`: 0 for tokens, very negative for padding. */
  mask?: Value
}

/** What a model may be given in place of what it makes of its inputs. */
export interface OwnInputs {
  /** What becomes of the embedded rows `[examples * length, dim]` before they are read: some may be a picture's. */
  readonly rows?: (embedded: Value, weights: ReadonlyMap<string, Value>) => Value
  /** Of several texts in a row, which count from other positions and do not see each other. */
  readonly attention?: AttentionConstants
}

/** Clipping bounds a matrix's gradient where it is used, which must be in one place; and a gain's by rows of the stream. */
function refuseUntrainable({ rotaryDim }: ModelConfig, { layers, finalNorm, ...graph }: ModelGraph): void {
  if (graph.attention === 'bidirectional' && graph.isRotary)
    throw new Error('Encoders whose positions turn can be served, but not trained here.')
  if (rotaryDim !== undefined)
    throw new Error('Models whose heads turn in part can be served, but not trained here.')
  if (layers.some(({ queryNorm, downNorm }) => queryNorm ?? downNorm))
    throw new Error('Models with norms of single products can be served, but not trained here.')
  if (finalNorm.kind === 'rms' && finalNorm.offset)
    throw new Error('Models whose gains are stored less one can be served, but not trained here.')
  if (new Set(layers.map(({ query }) => query.weight)).size < layers.length)
    throw new Error('Models whose layers share their weights can be served, but not trained here.')
}

/** A model's graph on a tape: the same formulas as the float reference, in batches of one length. */
export class ModelTape {
  readonly tape: Tape
  readonly config: ModelConfig
  readonly graph: ModelGraph
  readonly examples: number
  readonly length: number
  readonly weights = new Map<string, Value>()
  readonly inputs: TapeInputs
  /** The sum of the embedding tables' rows, `[examples * length, width of the tables]`. */
  readonly embedded: Value
  readonly #rows: Value
  readonly #parameters: Parameters
  readonly #attention: AttentionConstants

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
    own: OwnInputs = {},
  ) {
    this.tape = tape
    this.config = config
    this.graph = graphOf(config)
    refuseUntrainable(config, this.graph)
    this.examples = examples
    this.length = length
    for (const [name, shape] of [...tensorShapes(config), ...extra])
      this.weights.set(name, tape.input(name, shape))
    const n = examples * length
    this.inputs = { ids: tape.input('ids', [n], 'int64') }
    if (this.graph.attention === 'bidirectional') {
      this.inputs.types = tape.input('types', [n], 'int64')
      this.inputs.mask = tape.input('mask', [examples, 1, 1, length])
    }
    this.#parameters = parameters(this.weights)
    this.#attention = own.attention ?? attentionConstants(tape, config, length, this.inputs.mask)
    this.embedded = this.#embed()
    this.#rows = own.rows?.(this.embedded, this.weights) ?? this.embedded
  }

  weight(name: string): Value {
    const value = this.weights.get(name)
    if (!value) throw new Error(`The model has no tensor "${name}".`)
    return value
  }

  /** x `[n, inputs]` -> `[n, outputs]`, all outputs of a matrix that holds several. */
  dense(x: Value, { weight, bias, layout }: Pick<Dense, 'weight' | 'bias' | 'layout'>): Value {
    return dense(this.tape, this.#parameters, x, {
      weight: this.weight(weight),
      layout,
      bias: bias === undefined ? undefined : this.weight(bias),
      adapter: this.#adapter(weight),
    })
  }

  /** Rows before the final norm, `[examples * length, dim]`. */
  stream(): Value {
    const { embeddingNorm, projection } = this.graph
    let x = this.#norm(this.#rows, embeddingNorm)
    if (projection) x = this.dense(x, projection)
    for (const l of this.graph.layers) x = this.#layer(x, l)
    return x
  }

  /** Rows after the final norm, `[examples * length, dim]`. */
  hidden(): Value {
    return this.#norm(this.stream(), this.graph.finalNorm)
  }

  /** A dense layer of each example's first row and its activation, `[examples, dim]`. */
  pooled(hidden: Value, pool: Dense, activation: PoolActivation = 'tanh'): Value {
    const x = this.dense(firstRows(this.tape, hidden, this.examples), pool)
    return activation === 'tanh' ? tanh(this.tape, x) : activate(this.tape, x, activation)
  }

  /** A classifier's logits, `[examples, labels]`. */
  labelLogits(hidden: Value): Value {
    const { head } = this.graph
    if (head.kind !== 'labels') throw new Error('The model does not classify.')
    const { pool, poolActivation, output } = head
    const row = pool ? this.pooled(hidden, pool, poolActivation) : firstRows(this.tape, hidden, this.examples)
    return this.dense(row, output)
  }

  /** Logits over the vocabulary, `[m, vocab]`: of all rows, or of those with the given numbers `[m]`. */
  tokenLogits(hidden: Value, rows?: Value): Value {
    const { tape: t, graph } = this
    const { head, activation } = graph
    if (head.kind !== 'tokens') throw new Error('The model does not predict tokens.')
    const picked = rows ? pickRows(t, hidden, rows) : hidden
    const { transform, output } = head
    if (!transform) return this.dense(picked, output)
    const x = activate(t, this.dense(picked, transform.dense), activation)
    return this.dense(this.#norm(x, transform.norm), output)
  }

  #embed(): Value {
    const { tape: t, config, examples, length } = this
    const n = examples * length
    const rows = this.graph.tables.map(({ tensor, by, offset }) => {
      const places = (): Value =>
        t.constant(
          BigInt64Array.from({ length: n }, (_, i) => BigInt((i % length) + offset)),
          [n],
        )
      const index = by === 'token' ? this.inputs.ids : by === 'position' ? places() : this.inputs.types
      if (!index) throw new Error(`The table "${tensor}" needs token types, which this form does not read.`)
      return t.op('Gather', [this.weight(tensor), index], [n, embeddingWidth(config)], { axis: 0 })
    })
    return rows.reduce((sum, row) => t.map('Add', sum, row))
  }

  #layer(x: Value, l: Layer): Value {
    const { tape: t, graph } = this
    const isCarried = graph.skip === 'normalised'
    const n = this.#norm(x, l.attentionNorm)
    const attended = layer.add(t, isCarried ? n : x, this.dense(this.#attend(n, l), l.attentionOutput))
    const m = graph.isParallel ? n : this.#norm(attended, l.feedForwardNorm)
    const [gate, up] = this.#beside(m, l.up ? [l.gate, l.up] : [l.gate])
    const activated = activate(t, gate, graph.activation)
    const inner = up ? layer.multiply(t, activated, up) : activated
    return layer.add(t, isCarried && !graph.isParallel ? m : attended, this.dense(inner, l.down))
  }

  /** Several dense layers of the same rows, which may be the parts of one matrix. */
  #beside(x: Value, parts: readonly Dense[]): Value[] {
    if (parts[0].part === undefined) return parts.map((d) => this.dense(x, d))
    const widths = parts.map(({ outputs }) => outputs)
    return layer.splitColumns(this.tape, this.dense(x, parts[0]), widths)
  }

  /** Mixed values before their projection, `[examples * length, heads * headDim]`. */
  #attend(n: Value, l: Layer): Value {
    const { tape: t, config: c, examples, length } = this
    const { rotary, mask } = this.#attention
    const [q, k, v] = this.#beside(n, [l.query, l.key, l.value]).map((p, i) =>
      layer.splitHeads(t, p, examples, length, i === 0 ? c.heads : c.kvHeads),
    )
    const turned = (p: Value): Value => (rotary ? layer.rotary(t, p, rotary.cos, rotary.sin) : p)
    const queries = turned(q)
    const [, , , hd] = queries.shape
    const grouped = layer.reshape(t, queries, [examples, c.kvHeads, (c.heads / c.kvHeads) * length, hd])
    const scale = architectureOf(c).scores === 'octaves' ? Math.LN2 : scoreScale(c)
    const { softcap, softmaxCap } = c
    const mixed = attention(t, { scale, softcap, softmaxCap }, grouped, turned(k), v, mask)
    return layer.joinHeads(t, layer.reshape(t, mixed, queries.shape))
  }

  #norm(x: Value, norm: Norm): Value {
    const { tape, config } = this
    if (norm.kind === 'none') return x
    if (norm.kind === 'unit') return unitNorm(tape, x, config.eps)
    const gain = this.weight(norm.gain)
    if (norm.kind === 'rms') return rmsNorm(tape, this.#parameters, x, gain, config.eps)
    if (norm.shift === undefined) throw new Error('A LayerNorm without a shift cannot be trained here.')
    return layerNorm(tape, this.#parameters, x, gain, this.weight(norm.shift), config.eps)
  }

  #adapter(weight: string): Adapter | undefined {
    const { lora } = this.config
    if (!lora || !isAdapted(this.config, weight)) return undefined
    const [a, b] = [this.weight(adapterName(weight, 'A')), this.weight(adapterName(weight, 'B'))]
    return { a, b, scale: lora.alpha / lora.rank }
  }
}
