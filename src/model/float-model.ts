import { headDim, type ModelConfig, type Tensors, tensorShapes } from './config.ts'
import { merged } from './lora.ts'
import { softmax } from './math.ts'

/**
 * Reports intermediate values as they are computed, `[n, width]` for the n tokens of one call.
 *
 * | name | what |
 * |---|---|
 * | `x`, `x2` | residual stream before attention, before the feed-forward block |
 * | `v1`, `v2` | mean square (GPT-2: variance) that the norm divides by, without eps, `[n]` |
 * | `n1`, `n2` | normalised, before gain and bias |
 * | `q`, `k`, `v` | after the rotary embedding, where there is one |
 * | `s` | attention logits, scaled; per token and head the positions it sees, one after another |
 * | `a` | attention output, before its projection |
 * | `g`, `u`, `h` | gate before activation, up, and act(g) * u (GPT-2: `g` and `h` = act(g) only) |
 * | `xf`, `vf`, `nf` | the same at the final norm, with layer = number of layers |
 */
export type Tap = (name: string, layer: number, values: Float64Array) => void

/** A float64 model with its key/value cache: the yardstick for every private computation. */
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

/** Keys and values of one layer, `[context, kvHeads * headDim]`. */
export interface LayerCache {
  keys: Float64Array
  values: Float64Array
}

export function makeCache(config: ModelConfig): LayerCache[] {
  const size = config.context * config.kvHeads * headDim(config)
  return Array.from({ length: config.layers }, () => ({
    keys: new Float64Array(size),
    values: new Float64Array(size),
  }))
}

/** The data of a tensor, adapters merged in; throws when it is missing or has another shape than the configuration says. */
export function tensorLookup(config: ModelConfig, tensors: Tensors): (name: string) => Float32Array {
  const shapes = tensorShapes(config)
  return (name) => {
    const tensor = tensors.get(name)
    const shape = shapes.get(name)
    if (!tensor || !shape) throw new Error(`The model has no tensor "${name}".`)
    if (tensor.shape.join() !== shape.join())
      throw new Error(`Tensor "${name}" has shape [${tensor.shape}], but the configuration says [${shape}].`)
    return merged(config, tensors, name)
  }
}

export function checkIds(config: ModelConfig, position: number, ids: ArrayLike<number>): void {
  if (position + ids.length > config.context)
    throw new RangeError(`${position + ids.length} tokens do not fit the context of ${config.context}.`)
  for (let i = 0; i < ids.length; i++)
    if (!(ids[i] >= 0 && ids[i] < config.vocab))
      throw new RangeError(`Token id ${ids[i]} is outside the vocabulary of ${config.vocab}.`)
}

/**
 * Causal attention of n new queries, `[n, heads * hd]`, over a cache that already holds their keys.
 * The first query stands at `position`. Returns `[n, heads * hd]`.
 */
export function attend(
  c: ModelConfig,
  q: Float64Array,
  { keys, values }: LayerCache,
  position: number,
  tapLogits?: (logits: Float64Array) => void,
): Float64Array {
  const hd = headDim(c)
  const kvWidth = c.kvHeads * hd
  const n = q.length / (c.heads * hd)
  const out = new Float64Array(q.length)
  const seen: number[] = []
  for (let t = 0; t < n; t++) {
    const length = position + t + 1
    const scores = new Float64Array(length)
    for (let head = 0; head < c.heads; head++) {
      const at = (t * c.heads + head) * hd
      const kvAt = Math.floor((head * c.kvHeads) / c.heads) * hd
      for (let p = 0; p < length; p++) {
        let sum = 0
        for (let i = 0; i < hd; i++) sum += q[at + i] * keys[p * kvWidth + kvAt + i]
        scores[p] = sum / Math.sqrt(hd)
      }
      if (tapLogits) for (const score of scores) seen.push(score)
      softmax(scores)
      for (let p = 0; p < length; p++)
        for (let i = 0; i < hd; i++) out[at + i] += scores[p] * values[p * kvWidth + kvAt + i]
    }
  }
  tapLogits?.(Float64Array.from(seen))
  return out
}
