/** The two public ends of a model, in clear at the owner: tokens to embeddings, hidden state to logits. */
import type { ModelConfig, Tensors } from '../model/config.ts'

/** Everything before and after the plan. Needs the embedding, the head and the final norm to be public. */
export class Ends {
  readonly #config: ModelConfig
  readonly #embedding: Float32Array
  readonly #positions?: Float32Array
  readonly #head: Float32Array
  readonly #gain: Float32Array
  readonly #shift?: Float32Array

  /** Throws when a tensor that it needs is not public. */
  constructor(config: ModelConfig, tensors: Tensors) {
    const get = (name: string): Float32Array => {
      const tensor = tensors.get(name)
      if (!tensor) throw new Error(`The model keeps '${name}' private; its ends must be public.`)
      return tensor.data
    }
    this.#config = config
    const gpt2 = config.arch === 'gpt2'
    this.#embedding = get(gpt2 ? 'wte.weight' : 'model.embed_tokens.weight')
    this.#positions = gpt2 ? get('wpe.weight') : undefined
    this.#head = config.tied ? this.#embedding : get('lm_head.weight')
    this.#gain = get(gpt2 ? 'ln_f.weight' : 'model.norm.weight')
    this.#shift = gpt2 ? get('ln_f.bias') : undefined
  }

  /** Embeddings [ids x dim] for tokens at `base` and after; LayerNorm models get rows of mean zero. */
  embed(ids: readonly number[], base: number): Float64Array {
    const { dim } = this.#config
    const out = new Float64Array(ids.length * dim)
    ids.forEach((id, r) => {
      const row = out.subarray(r * dim, (r + 1) * dim)
      row.set(this.#embedding.subarray(id * dim, (id + 1) * dim))
      if (!this.#positions) return
      let mean = 0
      for (let i = 0; i < dim; i++) {
        row[i] += this.#positions[(base + r) * dim + i]
        mean += row[i] / dim
      }
      for (let i = 0; i < dim; i++) row[i] -= mean
    })
    return out
  }

  /** Logits [vocab] of one normalised hidden state [dim]. */
  logits(normal: Float64Array): Float32Array {
    const { dim, vocab } = this.#config
    const h = Float32Array.from(normal, (v, i) => v * this.#gain[i] + (this.#shift?.[i] ?? 0))
    const out = new Float32Array(vocab)
    for (let id = 0, at = 0; id < vocab; id++, at += dim) {
      let sum = 0
      for (let i = 0; i < dim; i++) sum += this.#head[at + i] * h[i]
      out[id] = sum
    }
    return out
  }
}
