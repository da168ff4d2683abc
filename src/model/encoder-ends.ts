/** The two ends of an encoder at the owner: a text's tokens to the plan's padded input, released rows to results. */
import type { ModelConfig, Tensors } from './architectures/config.ts'
import { bucketOf } from './buckets.ts'
import type { EndPlan } from './ends.ts'
import { checkIds } from './graph/check-ids.ts'
import { graphOf } from './graph/graph-of.ts'
import type { TextInput } from './graph/interpret.ts'
import { linear } from './math.ts'
import { layerNorm, rmsNorm } from './norm.ts'
import { type Place, PublicTables } from './public-tables.ts'

/** A pass's input [rows x inputWidth], and which of its rows are padding. */
export interface PaddedInput {
  readonly rows: Float64Array
  readonly padding: Uint8Array
}

/**
 * Public ends are computed here, in clear: a public embedding up to its norm, without the norm's gain; the gain and bias
 * of the last norm of a model without a head; the output matrix of a masked language model. Private ones are the plan's, and
 * logits over labels always are.
 */
export class EncoderEnds {
  readonly #config: ModelConfig
  readonly #plan: EndPlan
  readonly #tables: PublicTables

  /** Both ends are public unless `plan` says otherwise. Throws when a tensor that it needs is not among the public ones. */
  constructor(
    config: ModelConfig,
    tensors: Tensors,
    plan: EndPlan = { isPrivate: () => false, inputWidth: config.dim },
  ) {
    this.#config = config
    this.#plan = plan
    this.#tables = new PublicTables(config, tensors)
    if (!plan.isPrivate('embed')) this.#embedded({ ids: [] }, [])
    if (graphOf(config).head.kind !== 'labels') this.#finished(new Float64Array())
  }

  /**
   * Rows of a text, padded to its bucket: the second token to the last, then padding, then the first token, whose row a
   * classifier reads. Padding copies the first token's row, so that nothing in it is out of any range.
   */
  input(text: TextInput): PaddedInput {
    const n = text.ids.length
    const bucket = bucketOf(this.#config, n)
    // Every row of the bucket is worked out, copies too: the time that it takes must not tell the text's length.
    const order = Array.from({ length: bucket }, (_, r) => (r < n - 1 ? r + 1 : 0))
    const padding = Uint8Array.from(order, (at, r) => (at === 0 && r < bucket - 1 ? 1 : 0))
    const rows = this.#plan.isPrivate('embed')
      ? this.#tables.oneHots(this.#places(text, order), this.#plan.inputWidth)
      : this.#embedded(text, order)
    return { rows, padding }
  }

  /**
   * For the `n` tokens of a text in order: last hidden states [n x dim], a tagger's logits [n x labels], or a masked language
   * model's [n x vocab].
   */
  tokens(released: Float64Array, n: number): Float64Array {
    const width = released.length / bucketOf(this.#config, n)
    const out = new Float64Array(n * width)
    out.set(released.subarray(released.length - width))
    out.set(released.subarray(0, (n - 1) * width), width)
    return this.#finished(out)
  }

  /** The tokens in the order given, some of them more than once: embedded and normalised, or as wide as the stream. */
  #embedded(text: TextInput, order: readonly number[]): Float64Array {
    const { dim, eps } = this.#config
    const { projection, embeddingNorm } = graphOf(this.#config)
    const x = this.#tables.sums(this.#places(text, order))
    if (!projection && embeddingNorm.kind === 'layer') return this.#besideCentred(x)
    if (projection) {
      const { gain, shift } = this.#tables.normOf(embeddingNorm)
      const rows = layerNorm(x, gain, shift, eps)
      const { weight, bias, outputs } = projection
      return linear(
        rows,
        this.#tables.get(weight),
        outputs,
        bias === undefined ? undefined : this.#tables.get(bias),
      )
    }
    const ones = new Float32Array(dim).fill(1)
    return graphOf(this.#config).norm === 'rms' ? rmsNorm(x, ones, eps) : layerNorm(x, ones, undefined, eps)
  }

  /** Rows behind a norm of their own, and beside them the same less their mean, which is what the stream carries. */
  #besideCentred(x: Float64Array): Float64Array {
    const { dim, eps } = this.#config
    const { gain, shift } = this.#tables.normOf(graphOf(this.#config).embeddingNorm)
    const rows = layerNorm(x, gain, shift, eps)
    const out = new Float64Array(2 * rows.length)
    for (let at = 0; at < rows.length; at += dim) {
      const row = rows.subarray(at, at + dim)
      const mean = row.reduce((sum, value) => sum + value / dim, 0)
      out.set(row, 2 * at)
      out.set(
        row.map((value) => value - mean),
        2 * at + dim,
      )
    }
    return out
  }

  #places(text: TextInput, order: readonly number[]): Place[] {
    checkIds(this.#config, 0, text.ids)
    return order.map((t) => ({ token: text.ids[t], position: t, type: text.types?.[t] ?? 0 }))
  }

  /** What is left to do after the plan, by rows. */
  #finished(rows: Float64Array): Float64Array {
    if (this.#plan.isPrivate('head')) return rows
    const { head, finalNorm } = graphOf(this.#config)
    if (head.kind === 'tags') return rows
    if (head.kind !== 'tokens') return this.#tables.scaled(rows, finalNorm)
    const { weight, bias, outputs } = head.output
    const h = this.#tables.scaled(rows, head.transform?.norm ?? finalNorm)
    return linear(
      h,
      this.#tables.get(weight),
      outputs,
      bias === undefined ? undefined : this.#tables.get(bias),
    )
  }
}
