/** The two ends of a model at the owner: tokens to the plan's input, the released row to logits. */
import type { ModelConfig, Tensors } from './architectures/config.ts'

/** Who computes the ends of a model: the holder of its public tensors, in clear, or a protection. */
export interface EndPlan {
  /** Whether the protection computes this end: the owner then puts in one-hots, or is given logits. */
  isPrivate(end: 'embed' | 'head'): boolean
  /** Numbers that a row of the protection's input has. */
  readonly inputWidth: number
}

/** Public ends are computed here, in clear; private ones by the plan, from one-hots and to logits. */
export class Ends {
  readonly #config: ModelConfig
  readonly #plan: EndPlan
  readonly #get: (name: string) => Float32Array
  readonly #isGpt2: boolean

  /** Both ends are public unless `plan` says otherwise. Throws when a tensor that it needs is not among the public ones. */
  constructor(
    config: ModelConfig,
    tensors: Tensors,
    plan: EndPlan = { isPrivate: () => false, inputWidth: config.dim },
  ) {
    this.#config = config
    this.#plan = plan
    this.#isGpt2 = config.arch === 'gpt2'
    this.#get = (name) => {
      const tensor = tensors.get(name)
      if (!tensor) throw new Error(`The public part of the model lacks '${name}'.`)
      return tensor.data
    }
    if (!plan.isPrivate('embed')) this.embed([], 0)
    if (!plan.isPrivate('head')) this.logits(new Float64Array(config.dim))
  }

  /** The plan's input [ids x inputWidth] for tokens at `base` and after. */
  embed(ids: readonly number[], base: number): Float64Array {
    if (this.#plan.isPrivate('embed')) return this.#oneHots(ids, base)
    const { dim } = this.#config
    const table = this.#get(this.#isGpt2 ? 'wte.weight' : 'model.embed_tokens.weight')
    const positions = this.#isGpt2 ? this.#get('wpe.weight') : undefined
    const out = new Float64Array(ids.length * dim)
    ids.forEach((id, r) => {
      const row = out.subarray(r * dim, (r + 1) * dim)
      row.set(table.subarray(id * dim, (id + 1) * dim))
      if (positions) addPosition(row, positions.subarray((base + r) * dim, (base + r + 1) * dim))
    })
    return out
  }

  /** Logits [vocab] of what the plan released. */
  logits(released: Float64Array): Float32Array {
    if (this.#plan.isPrivate('head')) return Float32Array.from(released)
    const { dim, vocab, tied } = this.#config
    const gain = this.#get(this.#isGpt2 ? 'ln_f.weight' : 'model.norm.weight')
    const shift = this.#isGpt2 ? this.#get('ln_f.bias') : undefined
    const embedding = this.#isGpt2 ? 'wte.weight' : 'model.embed_tokens.weight'
    const head = this.#get(tied ? embedding : 'lm_head.weight')
    const h = Float32Array.from(released, (v, i) => v * gain[i] + (shift?.[i] ?? 0))
    const out = new Float32Array(vocab)
    for (let id = 0, at = 0; id < vocab; id++, at += dim) {
      // Four sums at a time: one alone waits for its own last addition.
      let [s0, s1, s2, s3] = [0, 0, 0, 0]
      let i = 0
      for (; i + 3 < dim; i += 4) {
        s0 += head[at + i] * h[i]
        s1 += head[at + i + 1] * h[i + 1]
        s2 += head[at + i + 2] * h[i + 2]
        s3 += head[at + i + 3] * h[i + 3]
      }
      for (; i < dim; i++) s0 += head[at + i] * h[i]
      out[id] = s0 + s1 + s2 + s3
    }
    return out
  }

  /** A one for the token and, where positions are learned, one for the position behind the vocabulary. */
  #oneHots(ids: readonly number[], base: number): Float64Array {
    const width = this.#plan.inputWidth
    const out = new Float64Array(ids.length * width)
    ids.forEach((id, r) => {
      out[r * width + id] = 1
      if (this.#isGpt2) out[r * width + this.#config.vocab + base + r] = 1
    })
    return out
  }
}

/** Adds a learned position and takes off the mean: the residual stream of a LayerNorm model is centred. */
function addPosition(row: Float64Array, position: Float32Array): void {
  let mean = 0
  for (let i = 0; i < row.length; i++) {
    row[i] += position[i]
    mean += row[i] / row.length
  }
  for (let i = 0; i < row.length; i++) row[i] -= mean
}
