/** The first layer's view of one more token, of every candidate: what somebody who has the weights compares with. */
import { linear } from '../../../src/model/math.ts'
import { rmsNorm } from '../../../src/model/norm.ts'
import { rotaryFrequencies, rotate } from '../../../src/model/rope.ts'
import type { LlamaWeights } from './llama-weights.ts'

/** A text as its first layer sees it, token by token; candidates for the next one all at once. */
export class FirstLayer {
  readonly #weights: LlamaWeights
  readonly #frequencies: Float64Array
  /** Keys and values of the text so far, [position, kvHeads x width]. */
  readonly #keys: Float32Array[] = []
  readonly #values: Float32Array[] = []

  constructor(weights: LlamaWeights) {
    this.#weights = weights
    this.#frequencies = rotaryFrequencies(weights.config)
  }

  append(id: number): void {
    const { key, value } = this.#projected([id])
    this.#keys.push(key)
    this.#values.push(value)
  }

  /**
   * Scaled attention logits of each candidate as the next token, on every earlier position and itself,
   * [candidates][heads x positions]: what every exact map leaves, but for the order of heads.
   */
  scores(candidates: readonly number[]): Float32Array[] {
    const { config, width } = this.#weights
    const { query, key } = this.#projected(candidates)
    const positions = this.#keys.length + 1
    const step = config.kvHeads * width
    return candidates.map((_, c) => {
      const own = key.subarray(c * step, (c + 1) * step)
      const out = new Float32Array(config.heads * positions)
      for (let h = 0; h < config.heads; h++) {
        const at = Math.floor((h * config.kvHeads) / config.heads) * width
        for (let t = 0; t < positions; t++) {
          const keys = t < this.#keys.length ? this.#keys[t] : own
          let sum = 0
          for (let d = 0; d < width; d++) sum += query[(c * config.heads + h) * width + d] * keys[at + d]
          out[h * positions + t] = sum / Math.sqrt(width)
        }
      }
      return out
    })
  }

  /** Lengths of the stream's rows behind the layer, of each candidate as the next token: what every exact map leaves. */
  norms(candidates: readonly number[]): Float64Array {
    const { config, layers, embedding } = this.#weights
    const { dim } = config
    const [layer] = layers
    const mixed = this.#mixed(candidates, this.scores(candidates))
    const x = Float32Array.from(linear(mixed, layer.output, dim), (value, at) => {
      const id = candidates[Math.floor(at / dim)]
      return value + embedding[id * dim + (at % dim)]
    })
    const normal = rmsNorm(x, layer.feedForwardGain, config.eps)
    const [gates, ups] = [linear(normal, layer.gate, config.ff), linear(normal, layer.up, config.ff)]
    const units = gates.map((g, i) => (g / (1 + Math.exp(-g))) * ups[i])
    const change = linear(units, layer.down, dim)
    return Float64Array.from(candidates, (_, c) => {
      let sum = 0
      for (let i = c * dim; i < (c + 1) * dim; i++) sum += (x[i] + change[i]) ** 2
      return Math.sqrt(sum)
    })
  }

  /** Queries, keys and values of tokens at the next position, turned to it. */
  #projected(ids: readonly number[]): { query: Float32Array; key: Float32Array; value: Float32Array } {
    const { config, width, embedding, layers } = this.#weights
    const { dim } = config
    const [layer] = layers
    const x = new Float32Array(ids.length * dim)
    for (const [i, id] of ids.entries()) x.set(embedding.subarray(id * dim, (id + 1) * dim), i * dim)
    const normal = rmsNorm(x, layer.attentionGain, config.eps)
    const [query, key, value] = [layer.query, layer.key, layer.value].map((w) =>
      linear(normal, w, w.length / dim),
    )
    for (const rows of [query, key])
      for (let at = 0; at < rows.length; at += width)
        rotate(rows.subarray(at, at + width), this.#frequencies, this.#keys.length, width)
    return { query, key, value }
  }

  #mixed(candidates: readonly number[], scores: readonly Float32Array[]): Float32Array {
    const { config, width } = this.#weights
    const { value } = this.#projected(candidates)
    const step = config.kvHeads * width
    const positions = this.#keys.length + 1
    const out = new Float32Array(candidates.length * config.heads * width)
    for (const [c, row] of scores.entries())
      for (let h = 0; h < config.heads; h++) {
        const shares = softmax(row.subarray(h * positions, (h + 1) * positions))
        const at = Math.floor((h * config.kvHeads) / config.heads) * width
        for (const [t, share] of shares.entries()) {
          const values = t < this.#values.length ? this.#values[t] : value.subarray(c * step, (c + 1) * step)
          for (let d = 0; d < width; d++) out[(c * config.heads + h) * width + d] += share * values[at + d]
        }
      }
    return out
  }
}

function softmax(logits: Float32Array): Float64Array {
  const most = Math.max(...logits)
  const out = Float64Array.from(logits, (value) => Math.exp(value - most))
  const sum = out.reduce((a, b) => a + b, 0)
  return out.map((value) => value / sum)
}
