import type { ModelConfig, Tensors } from './architectures/config.ts'
import type { Norm } from './graph/graph.ts'
import { graphOf } from './graph/graph-of.ts'
import { normTensors, tensorShapes } from './graph/tensors.ts'

/**
 * A small deterministic generator (xorshift128) for *weights and sampling only*.
 * It is predictable by design, so nothing secret may ever be drawn from it.
 */
export class PredictableRandom {
  readonly #state = new Uint32Array(4)
  #spare: number | undefined

  constructor(seed: number) {
    // SplitMix-style spreading, so that neighbouring seeds give unrelated streams.
    let z = seed >>> 0
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e3779b9) >>> 0
      let t = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      t = Math.imul(t ^ (t >>> 13), 0xc2b2ae35)
      this.#state[i] = (t ^ (t >>> 16)) >>> 0
    }
    this.#state[0] |= 1
  }

  /** Uniform 32-bit integer. */
  next(): number {
    const s = this.#state
    let t = s[3]
    t ^= t << 11
    t ^= t >>> 8
    s[3] = s[2]
    s[2] = s[1]
    s[1] = s[0]
    s[0] = t ^ s[0] ^ (s[0] >>> 19)
    return s[0]
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.next() / 2 ** 32
  }

  /** Uniform integer in [0, n). */
  below(n: number): number {
    return Math.floor(this.uniform() * n)
  }

  /** Standard normal (polar Box-Muller). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare
      this.#spare = undefined
      return spare
    }
    let u: number
    let v: number
    let r: number
    do {
      u = 2 * this.uniform() - 1
      v = 2 * this.uniform() - 1
      r = u * u + v * v
    } while (r >= 1 || r === 0)
    const scale = Math.sqrt((-2 * Math.log(r)) / r)
    this.#spare = v * scale
    return u * scale
  }
}

const bert = {
  arch: 'bert',
  vocab: 30522,
  eps: 1e-12,
  context: 512,
  activation: 'gelu',
  tied: true,
  types: 2,
} as const

const small = {
  arch: 'llama',
  eps: 1e-5,
  // As much of their contexts as people would give them: rings are sized for it.
  context: 2048,
  activation: 'silu',
  tied: true,
} as const

/**
 * Benchmark shapes: GPT-2 small, the 15M-parameter LLaMA-form story model, three small chat models that people use, and
 * three encoders without heads.
 */
export const benchConfigs = {
  gpt2: {
    arch: 'gpt2',
    vocab: 50257,
    dim: 768,
    layers: 12,
    heads: 12,
    kvHeads: 12,
    ff: 3072,
    eps: 1e-5,
    context: 1024,
    activation: 'gelu_tanh',
    tied: true,
  },
  '15m': {
    arch: 'llama',
    vocab: 32000,
    dim: 288,
    layers: 6,
    heads: 6,
    kvHeads: 6,
    ff: 768,
    eps: 1e-5,
    context: 256,
    ropeTheta: 10000,
    activation: 'silu',
    tied: true,
  },
  'smollm2-135m': {
    ...small,
    vocab: 49152,
    dim: 576,
    layers: 30,
    heads: 9,
    kvHeads: 3,
    ff: 1536,
    ropeTheta: 100_000,
  },
  'qwen2.5-0.5b': {
    ...small,
    arch: 'qwen2',
    vocab: 151936,
    dim: 896,
    layers: 24,
    heads: 14,
    kvHeads: 2,
    ff: 4864,
    eps: 1e-6,
    ropeTheta: 1_000_000,
  },
  'llama3.2-1b': {
    ...small,
    vocab: 128256,
    dim: 2048,
    layers: 16,
    heads: 32,
    kvHeads: 8,
    ff: 8192,
    ropeTheta: 500_000,
  },
  'bert-base': { ...bert, dim: 768, layers: 12, heads: 12, kvHeads: 12, ff: 3072 },
  'bert-mini': { ...bert, dim: 256, layers: 4, heads: 4, kvHeads: 4, ff: 1024 },
  'bert-tiny': { ...bert, dim: 128, layers: 2, heads: 2, kvHeads: 2, ff: 512 },
} satisfies Record<string, ModelConfig>

/**
 * Random weights of realistic scale, the same for the same seed.
 * Queries and keys are scaled so that attention logits have a standard deviation of about 2.5;
 * everything that adds to the residual stream is damped by the depth, so it grows like a trained model's.
 */
export function randomModel(config: ModelConfig, seed: number): Tensors {
  const random = new PredictableRandom(seed)
  const tensors: Tensors = new Map()
  const spreads = knownSpreads(config)
  const { layers } = graphOf(config)
  for (const [name, shape] of tensorShapes(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    const { std, mean = 0 } = spreads.get(name) ?? spreadByName(name, config)
    for (let i = 0; i < data.length; i++) data[i] = mean + std * random.normal()
    tensors.set(name, { shape, data })
  }
  // Where one matrix holds queries, keys and values one after another, the outputs of the first two are scaled.
  for (const { query, key } of layers) {
    if (!query.part) continue
    const { data } = tensors.get(query.weight)!
    const width = query.part.of
    const outputOf = (i: number) => (query.layout === 'in-out' ? i % width : Math.floor(i / query.inputs))
    for (let i = 0; i < data.length; i++)
      if (outputOf(i) < query.outputs + key.outputs) data[i] *= queryKeyStd
  }
  return tensors
}

/** Logit = q.k / sqrt(headDim) with unit-variance-input q and k of std s each: its std is s^2. */
const queryKeyStd = Math.sqrt(2.5)

interface Spread {
  readonly std: number
  readonly mean?: number
}

/** Of tables, gains, and the matrices of the layers that are not like others. */
function knownSpreads(c: ModelConfig): Map<string, Spread> {
  const { tables, layers, finalNorm, head, skip, embeddingNorm } = graphOf(c)
  const fan = 1 / Math.sqrt(c.dim)
  const depth = skip === 'stream' ? 2 * c.layers : 1
  const spreads = new Map<string, Spread>()
  for (const { tensor, by } of tables) spreads.set(tensor, { std: by === 'token' ? fan * 2 : fan * 0.5 })
  const norms = layers.flatMap(({ attentionNorm, feedForwardNorm }) => [attentionNorm, feedForwardNorm])
  if ((head.kind === 'tokens' || head.kind === 'tags') && head.transform) norms.push(head.transform.norm)
  if (head.kind === 'labels' && head.poolNorm) norms.push(head.poolNorm)
  norms.push(embeddingNorm)
  for (const norm of [...norms, finalNorm]) {
    const [gain] = normTensors(norm)
    const offset = norm.kind === 'rms' ? (norm.offset ?? 0) : 0
    if (gain !== undefined) spreads.set(gain, { std: 0.05, mean: 1 - offset })
  }
  const gain = (norm: Norm | undefined, std: number, mean: number): void => {
    if (norm?.kind === 'rms') spreads.set(norm.gain, { std, mean: mean - (norm.offset ?? 0) })
  }
  for (const { queryNorm, keyNorm, attentionOutputNorm, downNorm } of layers) {
    for (const norm of [queryNorm, keyNorm]) gain(norm, 0.1, queryKeyStd)
    // What a block adds has a size of its own.
    for (const norm of [attentionOutputNorm, downNorm]) gain(norm, 0.05, 1 / Math.sqrt(depth))
  }
  for (const { query, key, attentionOutput, down } of layers) {
    for (const { weight, part } of [query, key]) if (!part) spreads.set(weight, { std: queryKeyStd * fan })
    spreads.set(attentionOutput.weight, { std: fan / Math.sqrt(depth) })
    spreads.set(down.weight, { std: 1 / Math.sqrt(c.ff * depth) })
  }
  return spreads
}

/** Of all others: biases, adapters, which come out at a tenth of the weights that they are added to, and matrices. */
function spreadByName(name: string, c: ModelConfig): Spread {
  if (name.endsWith('.bias')) return { std: 0.02 }
  if (name.endsWith('lora_B.weight')) return { std: 0.1 / Math.sqrt(c.lora?.rank ?? 1) }
  return { std: 1 / Math.sqrt(c.dim) }
}
