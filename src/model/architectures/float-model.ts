import { type Floats, zerosLike } from '../math.ts'
import { attentionWeights } from '../softmax.ts'
import { headDim, type ModelConfig, type Tensors, tensorShapes } from './config.ts'
import { merged } from './lora.ts'

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

/** How activations are stored: in float32 as other runtimes do, or in float64 as the yardstick. */
export type FloatPrecision = 'float64' | 'float32'

/** `length` activations, all zero. */
export const activationsOf = (precision: FloatPrecision, length: number): Floats =>
  precision === 'float32' ? new Float32Array(length) : new Float64Array(length)

/** A float model with its key/value cache: in float64, the yardstick for every private computation. */
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

/** Keys and values of one layer, `[positions, kvHeads * headDim]`; room for more positions is made as they come. */
export interface LayerCache {
  keys: Floats
  values: Floats
}

export function makeCache(config: ModelConfig, precision: FloatPrecision = 'float64'): LayerCache[] {
  return Array.from({ length: config.layers }, () => ({
    keys: activationsOf(precision, 0),
    values: activationsOf(precision, 0),
  }))
}

/** Writes the rows of keys and values at `position` and after. */
export function remember(cache: LayerCache, keys: Floats, values: Floats, at: number): void {
  if (at + keys.length > cache.keys.length) {
    const size = Math.max(at + keys.length, 2 * cache.keys.length)
    for (const name of ['keys', 'values'] as const) {
      const wider = zerosLike(cache[name], size)
      wider.set(cache[name])
      cache[name] = wider
    }
  }
  cache.keys.set(keys, at)
  cache.values.set(values, at)
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
export function attend<T extends Floats>(
  c: ModelConfig,
  q: T,
  { keys, values }: LayerCache,
  position: number,
  tapLogits?: (logits: Float64Array) => void,
): T {
  const hd = headDim(c)
  const kvWidth = c.kvHeads * hd
  const n = q.length / (c.heads * hd)
  const out = zerosLike(q, q.length)
  const mixed = new Float64Array(hd)
  const seen: number[] = []
  for (let t = 0; t < n; t++) {
    const length = position + t + 1
    const scores = zerosLike(q, length)
    for (let head = 0; head < c.heads; head++) {
      const at = (t * c.heads + head) * hd
      const kvAt = Math.floor((head * c.kvHeads) / c.heads) * hd
      for (let p = 0; p < length; p++) {
        let sum = 0
        for (let i = 0; i < hd; i++) sum += q[at + i] * keys[p * kvWidth + kvAt + i]
        scores[p] = sum / Math.sqrt(hd)
      }
      if (tapLogits) for (const score of scores) seen.push(score)
      attentionWeights(c, scores)
      mixed.fill(0)
      for (let p = 0; p < length; p++)
        for (let i = 0; i < hd; i++) mixed[i] += scores[p] * values[p * kvWidth + kvAt + i]
      out.set(mixed, at)
    }
  }
  tapLogits?.(Float64Array.from(seen))
  return out
}
