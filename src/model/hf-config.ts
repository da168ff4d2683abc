import type { Activation, ModelConfig } from './config.ts'

/** A `config.json` as Hugging Face writes it, as far as it is used here. */
export type HfConfig = Record<string, unknown>

const activationNames: Record<string, Activation> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
}

/** Read a LLaMA-form or GPT-2 `config.json`. Throws naming what is missing or not supported. */
export function fromHfConfig(json: HfConfig): ModelConfig {
  if (json.model_type === 'llama') return fromLlama(json)
  if (json.model_type === 'gpt2') return fromGpt2(json)
  throw new Error(`config.json: model_type "${json.model_type}" is not supported; use "llama" or "gpt2".`)
}

function number(json: HfConfig, key: string, fallback?: number): number {
  const value = json[key] ?? fallback
  if (typeof value !== 'number') throw new Error(`config.json: "${key}" must be a number, not ${value}.`)
  return value
}

function activation(json: HfConfig, key: string): Activation {
  const known = activationNames[String(json[key])]
  if (!known) throw new Error(`config.json: "${key}" is ${json[key]}; supported are SiLU and GELU.`)
  return known
}

function fromLlama(json: HfConfig): ModelConfig {
  if (json.rope_scaling) throw new Error('config.json: "rope_scaling" is not supported.')
  if (json.attention_bias || json.mlp_bias) throw new Error('config.json: LLaMA biases are not supported.')
  const heads = number(json, 'num_attention_heads')
  return {
    arch: 'llama',
    vocab: number(json, 'vocab_size'),
    dim: number(json, 'hidden_size'),
    layers: number(json, 'num_hidden_layers'),
    heads,
    kvHeads: number(json, 'num_key_value_heads', heads),
    ff: number(json, 'intermediate_size'),
    eps: number(json, 'rms_norm_eps'),
    context: number(json, 'max_position_embeddings'),
    ropeTheta: number(json, 'rope_theta', 10000),
    activation: activation(json, 'hidden_act'),
    tied: json.tie_word_embeddings === true,
  }
}

function fromGpt2(json: HfConfig): ModelConfig {
  const dim = number(json, 'n_embd')
  const heads = number(json, 'n_head')
  return {
    arch: 'gpt2',
    vocab: number(json, 'vocab_size'),
    dim,
    layers: number(json, 'n_layer'),
    heads,
    kvHeads: heads,
    ff: typeof json.n_inner === 'number' ? json.n_inner : 4 * dim,
    eps: number(json, 'layer_norm_epsilon', 1e-5),
    context: number(json, 'n_positions'),
    activation: activation(json, 'activation_function'),
    tied: json.tie_word_embeddings !== false,
  }
}

/** The `config.json` that Hugging Face's loaders expect for this model. */
export function toHfConfig(c: ModelConfig, chat?: { bos: number; end: number }): HfConfig {
  const common = {
    bos_token_id: chat?.bos,
    eos_token_id: chat?.end,
    vocab_size: c.vocab,
    tie_word_embeddings: c.tied,
  }
  if (c.arch === 'gpt2') {
    return {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      ...common,
      n_embd: c.dim,
      n_head: c.heads,
      n_layer: c.layers,
      n_inner: c.ff,
      n_positions: c.context,
      layer_norm_epsilon: c.eps,
      activation_function: c.activation === 'gelu' ? 'gelu' : 'gelu_new',
    }
  }
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...common,
    hidden_size: c.dim,
    intermediate_size: c.ff,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    num_key_value_heads: c.kvHeads,
    max_position_embeddings: c.context,
    rms_norm_eps: c.eps,
    rope_theta: c.ropeTheta,
    hidden_act: 'silu',
    torch_dtype: 'float16',
  }
}
