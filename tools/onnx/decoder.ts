import {
  adapterName,
  headDim,
  isAdapted,
  type ModelConfig,
  tensorShapes,
} from '../../src/model/architectures/config.ts'
import { rotaryFrequencies } from '../../src/model/architectures/rope.ts'
import { dense, matrix } from './dense.ts'
import * as layer from './layers.ts'
import type { Parameters } from './parameters.ts'
import type { Tape, Value } from './tape.ts'

/** A model of the LLaMA form on a tape: the same formulas as the float reference, in batches of one length. */
export class DecoderGraph {
  readonly weights = new Map<string, Value>()
  /** Token ids, `[rows * length]`, row after row. */
  readonly ids: Value
  /** Rows of the embedding table. */
  readonly embedded: Value
  readonly #tape: Tape
  readonly #config: ModelConfig
  readonly #rows: number
  readonly #length: number
  readonly #parameters: Parameters

  /** `parameters` is made from the weights, because clipping must know which of them are trained. */
  constructor(
    tape: Tape,
    config: ModelConfig,
    [rows, length]: [number, number],
    parameters: (weights: ReadonlyMap<string, Value>) => Parameters,
  ) {
    if (config.arch !== 'llama' || config.softcap !== undefined || config.softmaxCap !== undefined)
      throw new Error('Chat models are trained in the LLaMA form, without caps on attention.')
    this.#tape = tape
    this.#config = config
    this.#rows = rows
    this.#length = length
    for (const [name, shape] of tensorShapes(config)) this.weights.set(name, tape.input(name, shape))
    this.ids = tape.input('ids', [rows * length], 'int64')
    this.#parameters = parameters(this.weights)
    const table = this.weight('model.embed_tokens')
    this.embedded = tape.op('Gather', [table, this.ids], [rows * length, config.dim], { axis: 0 })
  }

  /** A weight by its name without the last `.weight`. */
  weight(name: string): Value {
    const value = this.weights.get(`${name}.weight`)
    if (!value) throw new Error(`The model has no tensor "${name}.weight".`)
    return value
  }

  /** Hidden states after the last norm, `[rows * length, dim]`. */
  hidden(): Value {
    const c = this.#config
    const t = this.#tape
    const [cos, sin] = rotaryTables(c, this.#length).map((table) =>
      t.constant(table, [this.#length, headDim(c)]),
    )
    const group = c.heads / c.kvHeads
    const mask = t.constant(causalMask(group, this.#length), [group * this.#length, this.#length])
    let x = this.embedded
    for (let i = 0; i < c.layers; i++) x = this.#layer(x, `model.layers.${i}.`, { cos, sin, mask })
    return this.#norm(x, 'model.norm')
  }

  /** Scores of the vocabulary, `[n, vocab]`. */
  logits(hidden: Value): Value {
    const head = this.#config.tied ? 'model.embed_tokens' : 'lm_head'
    return matrix(this.#tape, this.#parameters, hidden, this.weight(head))
  }

  #layer(x: Value, at: string, { cos, sin, mask }: Record<'cos' | 'sin' | 'mask', Value>): Value {
    const t = this.#tape
    const c = this.#config
    const hd = headDim(c)
    const n1 = this.#norm(x, `${at}input_layernorm`)
    const heads = (name: string, count: number) =>
      layer.splitHeads(t, this.#dense(n1, `${at}self_attn.${name}`), this.#rows, this.#length, count)
    const q = layer.rotary(t, heads('q_proj', c.heads), cos, sin)
    const k = layer.rotary(t, heads('k_proj', c.kvHeads), cos, sin)
    const grouped = layer.reshape(t, q, [this.#rows, c.kvHeads, (c.heads / c.kvHeads) * this.#length, hd])
    const mixed = layer.attention(t, grouped, k, heads('v_proj', c.kvHeads), mask, 1 / Math.sqrt(hd))
    const joined = layer.joinHeads(t, layer.reshape(t, mixed, q.shape))
    const x2 = layer.add(t, x, this.#dense(joined, `${at}self_attn.o_proj`))
    const n2 = this.#norm(x2, `${at}post_attention_layernorm`)
    const gate = this.#dense(n2, `${at}mlp.gate_proj`)
    const h = layer.swiGlu(t, gate, this.#dense(n2, `${at}mlp.up_proj`))
    return layer.add(t, x2, this.#dense(h, `${at}mlp.down_proj`))
  }

  #norm(x: Value, name: string): Value {
    return layer.rmsNorm(this.#tape, this.#parameters, x, this.weight(name), this.#config.eps)
  }

  #dense(x: Value, name: string): Value {
    const { lora } = this.#config
    const weight = `${name}.weight`
    const half = (which: 'A' | 'B') => this.weights.get(adapterName(weight, which))!
    const adapter =
      lora && isAdapted(this.#config, weight)
        ? { a: half('A'), b: half('B'), scale: lora.alpha / lora.rank }
        : undefined
    return dense(this.#tape, this.#parameters, x, this.weight(name), undefined, adapter)
  }
}

/** cos and sin, `[length, headDim]`, of each position's angles; both halves alike. */
function rotaryTables(c: ModelConfig, length: number): Float32Array[] {
  const frequencies = rotaryFrequencies(c)
  const half = frequencies.length
  const angle = Float64Array.from(
    { length: length * 2 * half },
    (_, at) => Math.floor(at / (2 * half)) * frequencies[at % half],
  )
  return [Float32Array.from(angle, Math.cos), Float32Array.from(angle, Math.sin)]
}

/** 0 where a query may look, very negative where it may not; one copy per query head of a group. */
function causalMask(group: number, length: number): Float32Array {
  return Float32Array.from({ length: group * length * length }, (_, at) => {
    const query = Math.floor(at / length) % length
    return at % length <= query ? 0 : -1e9
  })
}
