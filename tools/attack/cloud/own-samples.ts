/** What a cloud gets without any user: it lets the model that it holds talk, many dialogues at a time. */
import { rmsNorm } from '../../../src/model/norm.ts'
import type { PredictableRandom } from '../../../src/model/random.ts'
import { rotaryFrequencies, rotate } from '../../../src/model/rope.ts'
import type { LlamaLayer, LlamaWeights } from './llama-weights.ts'
import { type Product, withProducts } from './products.ts'

export interface SampleOptions {
  /** The token that texts begin with. */
  readonly first: number
  readonly texts: number
  readonly length: number
  readonly random: PredictableRandom
  readonly onProgress?: (tokens: number) => void
}

/** `texts` samples of `length` tokens, at temperature 1. */
export function sampleTexts(weights: LlamaWeights, o: SampleOptions): Promise<Int32Array[]> {
  const { config, width, head, finalGain, embedding } = weights
  const { dim } = config
  const frequencies = rotaryFrequencies(config)
  return withProducts(o.texts, async (open) => {
    const layers = await Promise.all(
      weights.layers.map(
        async (layer) =>
          new SampledLayer(
            weights,
            layer,
            o,
            frequencies,
            await opened(open, layer, width * config.heads, dim, config.ff),
          ),
      ),
    )
    const toLogits = await open(head, dim)
    const texts = Array.from({ length: o.texts }, () => new Int32Array(o.length).fill(o.first))
    for (let t = 0; t + 1 < o.length; t++) {
      let x = new Float32Array(o.texts * dim)
      for (const [b, text] of texts.entries())
        x.set(embedding.subarray(text[t] * dim, (text[t] + 1) * dim), b * dim)
      for (const layer of layers) x = await layer.run(x, t)
      const logits = await toLogits(rmsNorm(x, finalGain, config.eps))
      for (const [b, text] of texts.entries())
        text[t + 1] = drawn(logits.subarray(b * config.vocab, (b + 1) * config.vocab), o.random)
      o.onProgress?.(o.texts * (t + 1))
    }
    return texts
  })
}

/** A token by its probability. */
function drawn(logits: Float32Array, random: PredictableRandom): number {
  let most = Number.NEGATIVE_INFINITY
  for (const value of logits) most = Math.max(most, value)
  const weights = logits.map((value) => Math.exp(value - most))
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]
    if (left < 0) return i
  }
  return weights.length - 1
}

interface LayerProducts {
  readonly query: Product
  readonly key: Product
  readonly value: Product
  readonly output: Product
  readonly gate: Product
  readonly up: Product
  readonly down: Product
}

type Open = (matrix: Float32Array, inputs: number) => Promise<Product>

const opened = async (
  open: Open,
  layer: LlamaLayer,
  mixed: number,
  dim: number,
  inner: number,
): Promise<LayerProducts> => ({
  query: await open(layer.query, dim),
  key: await open(layer.key, dim),
  value: await open(layer.value, dim),
  output: await open(layer.output, mixed),
  gate: await open(layer.gate, dim),
  up: await open(layer.up, dim),
  down: await open(layer.down, inner),
})

/** A layer with the keys and values of all texts. */
class SampledLayer {
  readonly #weights: LlamaWeights
  readonly #layer: LlamaLayer
  readonly #products: LayerProducts
  readonly #frequencies: Float64Array
  readonly #length: number
  /** [texts, length, kvHeads, width]. */
  readonly #keys: Float32Array
  readonly #values: Float32Array

  constructor(
    weights: LlamaWeights,
    layer: LlamaLayer,
    { texts, length }: SampleOptions,
    frequencies: Float64Array,
    products: LayerProducts,
  ) {
    this.#weights = weights
    this.#layer = layer
    this.#products = products
    this.#frequencies = frequencies
    this.#length = length
    const { kvHeads } = weights.config
    this.#keys = new Float32Array(texts * length * kvHeads * weights.width)
    this.#values = new Float32Array(this.#keys.length)
  }

  /** x [texts, dim] at position `t`, to the stream after the layer. */
  async run(x: Float32Array, t: number): Promise<Float32Array<ArrayBuffer>> {
    const { config } = this.#weights
    const { query, key, value, output, gate, up, down } = this.#products
    const normal = rmsNorm(x, this.#layer.attentionGain, config.eps)
    const [q, k, v] = [await query(normal), await key(normal), await value(normal)]
    this.#turn(q, t)
    this.#turn(k, t)
    const attended = added(x, await output(this.#mix(q, k, v, t)))
    const inner = rmsNorm(attended, this.#layer.feedForwardGain, config.eps)
    const [gates, ups] = [await gate(inner), await up(inner)]
    const units = gates.map((g, i) => (g / (1 + Math.exp(-g))) * ups[i])
    return added(attended, await down(units))
  }

  /** Every row is at the same position. */
  #turn(x: Float32Array, t: number): void {
    const { width } = this.#weights
    for (let at = 0; at < x.length; at += width)
      rotate(x.subarray(at, at + width), this.#frequencies, t, width)
  }

  #mix(q: Float32Array, k: Float32Array, v: Float32Array, t: number): Float32Array {
    const { config, width } = this.#weights
    const { heads, kvHeads } = config
    const step = kvHeads * width
    const texts = k.length / step
    const out = new Float32Array(q.length)
    const scores = new Float32Array(t + 1)
    for (let b = 0; b < texts; b++) {
      const base = b * this.#length * step
      this.#keys.set(k.subarray(b * step, (b + 1) * step), base + t * step)
      this.#values.set(v.subarray(b * step, (b + 1) * step), base + t * step)
      for (let h = 0; h < heads; h++) {
        const at = base + Math.floor((h * kvHeads) / heads) * width
        const from = (b * heads + h) * width
        softmax(scores, (i) => dotAt(q, from, this.#keys, at + i * step, width) / Math.sqrt(width))
        for (let i = 0; i <= t; i++)
          for (let d = 0; d < width; d++) out[from + d] += scores[i] * this.#values[at + i * step + d]
      }
    }
    return out
  }
}

function softmax(out: Float32Array, of: (i: number) => number): void {
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < out.length; i++) {
    out[i] = of(i)
    most = Math.max(most, out[i])
  }
  let sum = 0
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.exp(out[i] - most)
    sum += out[i]
  }
  for (let i = 0; i < out.length; i++) out[i] /= sum
}

function dotAt(a: Float32Array, i: number, b: Float32Array, j: number, length: number): number {
  let sum = 0
  for (let d = 0; d < length; d++) sum += a[i + d] * b[j + d]
  return sum
}

const added = (a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> =>
  Float32Array.from(a, (value, i) => value + b[i])
