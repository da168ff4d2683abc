import { type HfConfig, HfConfigError, HfReader } from '../files/hf-reader.ts'
import { type Activation, headDim, isEncoder, type ModelConfig } from './config.ts'
import { encoderFromHf, encoderToHf } from './hf-encoder-config.ts'
import { ropeFromHf, ropeToHf } from './hf-rope.ts'

export { type HfConfig, HfConfigError } from '../files/hf-reader.ts'

/** Model types with LLaMA's form, whatever else they may add, which is then refused by name. */
const llamaKin = new Set(['llama', 'mistral', 'qwen2'])

/**
 * Read a `config.json` of GPT-2, of the LLaMA family, BERT or RoBERTa; `file` is what errors call it. Throws
 * {@link HfConfigError} naming what is missing or not supported.
 */
export function fromHfConfig(json: HfConfig, file = 'config.json'): ModelConfig {
  const read = new HfReader(json, file)
  const type = String(json.model_type)
  if (llamaKin.has(type)) return fromLlama(read)
  if (type === 'gpt2') return fromGpt2(read)
  const encoder = encoderFromHf(read)
  if (encoder) return encoder
  throw new HfConfigError(
    `${file}: model_type "${json.model_type}" is not supported. ` +
      'Supported are gpt2, llama, mistral, bert, roberta and xlm-roberta.',
  )
}

function fromLlama(read: HfReader): ModelConfig {
  const type = read.json.model_type
  if (type === 'qwen2')
    read.refuse('model_type', 'Qwen2 adds biases to query, key and value, which the private LLaMA form lacks')
  if (read.json.rope_interleaved) read.refuse('rope_interleaved', 'pairs must be a half apart')
  for (const key of ['attention_bias', 'mlp_bias'])
    if (read.json[key]) read.refuse(key, 'the private LLaMA form has no biases')
  const heads = read.size('num_attention_heads')
  const dim = read.size('hidden_size')
  const own = read.json.head_dim
  if (typeof own === 'number' && own * heads !== dim)
    read.refuse('head_dim', `${heads} heads of ${own} are not the width ${dim}`)
  const context = read.size('max_position_embeddings')
  const window = read.json.sliding_window
  const config: ModelConfig = {
    arch: 'llama',
    vocab: read.size('vocab_size'),
    dim,
    layers: read.layers('num_hidden_layers'),
    heads,
    kvHeads: read.size('num_key_value_heads', heads),
    ff: read.size('intermediate_size'),
    eps: read.number('rms_norm_eps'),
    // Within the window, attention to a sliding window is attention to everything.
    context: typeof window === 'number' ? Math.min(context, window) : context,
    ...ropeFromHf(read, context),
    activation: read.activation('hidden_act', ['silu']),
    tied: read.json.tie_word_embeddings === true,
  }
  read.divides(config)
  return config
}

function fromGpt2(read: HfReader): ModelConfig {
  for (const [key, usual] of [
    ['scale_attn_weights', true],
    ['scale_attn_by_inverse_layer_idx', false],
    ['add_cross_attention', false],
  ] as const)
    if ((read.json[key] ?? usual) !== usual) read.refuse(key, `only ${usual} is`)
  const dim = read.size('n_embd')
  const heads = read.size('n_head')
  const config: ModelConfig = {
    arch: 'gpt2',
    vocab: read.size('vocab_size'),
    dim,
    layers: read.layers('n_layer'),
    heads,
    kvHeads: heads,
    ff: typeof read.json.n_inner === 'number' ? read.size('n_inner') : 4 * dim,
    eps: read.number('layer_norm_epsilon', 1e-5),
    context: read.size('n_positions', typeof read.json.n_ctx === 'number' ? read.json.n_ctx : undefined),
    activation: read.activation(
      'activation_function',
      ['gelu', 'gelu_tanh', 'silu', 'gelu_sprint'],
      'gelu_new',
    ),
    tied: read.json.tie_word_embeddings !== false,
  }
  read.divides(config)
  return config
}

const activationNames: Record<Activation, string> = {
  silu: 'silu',
  gelu: 'gelu',
  gelu_tanh: 'gelu_new',
  gelu_sprint: 'gelu_sprint',
}

/** The `config.json` that Hugging Face's loaders expect for this model. */
export function toHfConfig(c: ModelConfig, text: { bos?: number; end?: number } = {}): HfConfig {
  const common = { vocab_size: c.vocab, tie_word_embeddings: c.tied }
  if (isEncoder(c)) return { ...encoderToHf(c, activationNames[c.activation]), ...common }
  const ends = { bos_token_id: text.bos, eos_token_id: text.end }
  if (c.arch === 'gpt2')
    return {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      ...ends,
      ...common,
      n_embd: c.dim,
      n_head: c.heads,
      n_layer: c.layers,
      n_inner: c.ff,
      n_positions: c.context,
      layer_norm_epsilon: c.eps,
      activation_function: activationNames[c.activation],
    }
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...ends,
    ...common,
    hidden_size: c.dim,
    intermediate_size: c.ff,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    num_key_value_heads: c.kvHeads,
    head_dim: headDim(c),
    max_position_embeddings: c.context,
    rms_norm_eps: c.eps,
    ...ropeToHf(c),
    hidden_act: 'silu',
    torch_dtype: 'float16',
  }
}
