/** The two ends of an encoder at the owner: a text's tokens to the plan's padded input, released rows to results. */
import type { ModelConfig, Tensors } from './architectures/config.ts'
import { type EncoderInput, headNames } from './architectures/encoder.ts'
import { checkIds } from './architectures/float-model.ts'
import { layerNorm } from './architectures/gpt2.ts'
import { bucketOf } from './buckets.ts'
import type { EndPlan } from './ends.ts'
import { linear } from './math.ts'

/** A pass's input [rows x inputWidth], and which of its rows are padding. */
export interface PaddedInput {
  readonly rows: Float64Array
  readonly padding: Uint8Array
}

/**
 * Public ends are computed here, in clear: a public embedding up to its norm, without the norm's gain; the gain and bias
 * of the last norm of a model without a head; the output matrix of a masked language model. Private ones are the plan's.
 */
export class EncoderEnds {
  readonly #config: ModelConfig
  readonly #plan: EndPlan
  readonly #get: (name: string) => Float32Array

  /** Both ends are public unless `plan` says otherwise. Throws when a tensor that it needs is not among the public ones. */
  constructor(
    config: ModelConfig,
    tensors: Tensors,
    plan: EndPlan = { isPrivate: () => false, inputWidth: config.dim },
  ) {
    this.#config = config
    this.#plan = plan
    this.#get = (name) => {
      const tensor = tensors.get(name)
      if (!tensor) throw new Error(`The public part of the model lacks '${name}'.`)
      return tensor.data
    }
    if (!plan.isPrivate('embed')) this.#embedded({ ids: [] }, [])
    if (config.head?.kind !== 'classify') this.#finished(new Float64Array())
  }

  /**
   * Rows of a text, padded to its bucket: the second token to the last, then padding, then the first token, whose row a
   * classifier reads. Padding copies the first token's row, so that nothing in it is out of any range.
   */
  input(text: EncoderInput): PaddedInput {
    const n = text.ids.length
    const bucket = bucketOf(this.#config, n)
    // Every row of the bucket is worked out, copies too: the time that it takes must not tell the text's length.
    const order = Array.from({ length: bucket }, (_, r) => (r < n - 1 ? r + 1 : 0))
    const padding = Uint8Array.from(order, (at, r) => (at === 0 && r < bucket - 1 ? 1 : 0))
    const rows = this.#plan.isPrivate('embed') ? this.#oneHots(text, order) : this.#embedded(text, order)
    return { rows, padding }
  }

  /**
   * For the `n` tokens of a text in order: last hidden states [n x dim], or a masked language model's logits [n x vocab].
   */
  tokens(released: Float64Array, n: number): Float64Array {
    const width = released.length / bucketOf(this.#config, n)
    const out = new Float64Array(n * width)
    out.set(released.subarray(released.length - width))
    out.set(released.subarray(0, (n - 1) * width), width)
    return this.#finished(out)
  }

  /** The tokens in the order given, some of them more than once: embedded and normalised. */
  #embedded(text: EncoderInput, order: readonly number[]): Float64Array {
    const c = this.#config
    checkIds(c, 0, text.ids)
    const tables = ['word', 'position', 'token_type'].map((name) =>
      this.#get(`${c.arch}.embeddings.${name}_embeddings.weight`),
    )
    const x = new Float64Array(order.length * c.dim)
    order.forEach((t, row) => {
      const places = this.#places(text, t)
      for (let i = 0; i < c.dim; i++)
        x[row * c.dim + i] = tables.reduce((sum, table, k) => sum + table[places[k] * c.dim + i], 0)
    })
    return layerNorm(x, new Float32Array(c.dim).fill(1), new Float32Array(c.dim), c.eps)
  }

  /** The same as a one each for the token, its position and its type. */
  #oneHots(text: EncoderInput, order: readonly number[]): Float64Array {
    const c = this.#config
    checkIds(c, 0, text.ids)
    const width = this.#plan.inputWidth
    const out = new Float64Array(order.length * width)
    const positions = c.vocab
    const types = positions + (c.positionOffset ?? 0) + c.context
    order.forEach((t, row) => {
      const [id, position, type] = this.#places(text, t)
      for (const at of [id, positions + position, types + type]) out[row * width + at] = 1
    })
    return out
  }

  /** A token's rows in the tables of words, positions and types. */
  #places({ ids, types }: EncoderInput, t: number): [number, number, number] {
    return [ids[t], t + (this.#config.positionOffset ?? 0), types?.[t] ?? 0]
  }

  /** What is left to do after the plan, by rows. */
  #finished(rows: Float64Array): Float64Array {
    const c = this.#config
    if (this.#plan.isPrivate('head')) return rows
    const names = headNames(c)
    const norm = c.head
      ? names.transformNorm
      : `${c.arch}.${c.layers > 0 ? `encoder.layer.${c.layers - 1}.output` : 'embeddings'}.LayerNorm`
    const [gain, shift] = [this.#get(`${norm}.weight`), this.#get(`${norm}.bias`)]
    const h = rows.map((v, at) => v * gain[at % c.dim] + shift[at % c.dim])
    if (!c.head) return h
    const table = c.tied ? `${c.arch}.embeddings.word_embeddings.weight` : names.decoder
    return linear(h, this.#get(table), c.vocab, this.#get(names.decoderBias))
  }
}
