import type { Activation, ModelConfig } from './config.ts'

/** A `config.json` as Hugging Face writes it, as far as it is used here. */
export type HfConfig = Record<string, unknown>

/** A `config.json` that lacks something, or asks for something that is not supported. */
export class HfConfigError extends Error {
  override readonly name = 'HfConfigError'
}

const activationNames: Record<string, Activation> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_sprint: 'gelu_sprint',
  relu: 'relu',
  linear: 'linear',
}

/** The activations by Hugging Face's names. */
export const activationToHf: Record<Activation, string> = {
  silu: 'silu',
  gelu: 'gelu',
  gelu_tanh: 'gelu_new',
  gelu_sprint: 'gelu_sprint',
  relu: 'relu',
  linear: 'linear',
}

/**
 * What every decoder in LLaMA's form says of itself, whatever its blocks are.
 * @param own what only some of them have, written where such files have it: a bundle's bytes do not change.
 */
export const llamaSizesToHf = (
  c: ModelConfig,
  { bos, end }: { bos?: number; end?: number },
  own: { headDim?: number; rope?: HfConfig } = {},
): HfConfig => ({
  bos_token_id: bos,
  eos_token_id: end,
  vocab_size: c.vocab,
  tie_word_embeddings: c.tied,
  hidden_size: c.dim,
  intermediate_size: c.ff,
  num_hidden_layers: c.layers,
  num_attention_heads: c.heads,
  num_key_value_heads: c.kvHeads,
  head_dim: own.headDim,
  max_position_embeddings: c.context,
  rms_norm_eps: c.eps,
  ...own.rope,
  hidden_act: activationToHf[c.activation],
  torch_dtype: 'float16',
})

/** Reads fields of a configuration; every complaint names the file and the field. */
export class HfReader {
  readonly json: HfConfig
  /** Positions that somebody wants of the model, where not those that it was trained with. */
  readonly asked?: number
  readonly #file: string

  constructor(json: HfConfig, file: string, asked?: number) {
    this.json = json
    this.#file = file
    this.asked = asked
  }

  /** Reads this file with these fields where it has none. */
  over(defaults: HfConfig): HfReader {
    return new HfReader({ ...defaults, ...this.json }, this.#file, this.asked)
  }

  /** Reads this file with these fields in place of its own. */
  with(fields: HfConfig): HfReader {
    return new HfReader({ ...this.json, ...fields }, this.#file, this.asked)
  }

  complain(text: string): never {
    throw new HfConfigError(`${this.#file}: ${text}`)
  }

  refuse(key: string, why: string): never {
    this.complain(`"${key}": ${JSON.stringify(this.json[key])} is not supported: ${why}.`)
  }

  number(key: string, fallback?: number): number {
    const value = this.json[key] ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value))
      this.complain(`"${key}" must be a number, not ${JSON.stringify(value)}.`)
    return value
  }

  /** A whole number above zero, bounded: tables of these sizes are made before a weight is seen. */
  size(key: string, fallback?: number, most = 1 << 20): number {
    const value = this.number(key, fallback)
    if (!(Number.isInteger(value) && value > 0 && value <= most))
      this.complain(`"${key}" must be a whole number from 1 to ${most}, not ${value}.`)
    return value
  }

  /** The class that wrote the weights; empty where the file does not say. */
  get written(): string {
    const { architectures } = this.json
    return Array.isArray(architectures) && architectures.length > 0 ? String(architectures[0]) : ''
  }

  /** A decoder is served with its language model's head: other classes keep another one, or none. */
  languageModel(): void {
    if (this.written !== '' && !/(ForCausalLM|LMHeadModel)$/.test(this.written))
      this.refuse(
        'architectures',
        'a decoder needs the head that makes text, as in classes that end in ForCausalLM or LMHeadModel',
      )
  }

  layers(key: string, fallback?: number): number {
    return this.size(key, fallback, 512)
  }

  activation(key: string, supported: readonly Activation[], fallback?: string): Activation {
    const name = String(this.json[key] ?? fallback)
    const known = Object.hasOwn(activationNames, name) ? activationNames[name] : undefined
    if (!known || !supported.includes(known))
      this.complain(`"${key}" is "${name}"; supported here: ${supported.join(', ')}.`)
    return known
  }

  /** Heads must divide the width, where theirs is not given, and key heads the heads. */
  divides({ dim, heads, kvHeads, headDim }: ModelConfig): void {
    if (headDim === undefined && dim % heads !== 0)
      this.complain(`${heads} heads do not divide the width ${dim}.`)
    if (heads % kvHeads !== 0) this.complain(`${kvHeads} key heads do not divide the ${heads} heads.`)
  }
}
