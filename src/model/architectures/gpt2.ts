/** GPT-2: LayerNorm, learned positions, biases everywhere (Radford et al., 2019). */
import type { Architecture } from './architecture.ts'
import type { ModelConfig } from './config.ts'
import { activationToHf, type HfConfig, type HfReader } from './hf-reader.ts'

export const gpt2: Architecture = {
  name: 'gpt2',
  attention: 'causal',
  norm: 'layer',
  scores: 'scaled',
  positions: 'table',
  biases: 'all',
  layout: 'in-out',
  tensors: {
    tables: { token: 'wte.weight', position: 'wpe.weight' },
    layers: 'h',
    qkv: ['attn.c_attn'],
    attentionOutput: 'attn.c_proj',
    feedForward: ['mlp.c_fc'],
    feedForwardOutput: 'mlp.c_proj',
    norms: { placement: 'pre', attention: 'ln_1', feedForward: 'ln_2', final: 'ln_f' },
    head: { decoder: 'lm_head.weight' },
  },
  aliases: (tensor) => (tensor.startsWith('lm_head') ? [] : [`transformer.${tensor}`]),
  huggingFace: { modelTypes: ['gpt2'], read, write },
}

function read(reader: HfReader): ModelConfig {
  reader.languageModel()
  for (const [key, usual] of [
    ['scale_attn_weights', true],
    ['scale_attn_by_inverse_layer_idx', false],
    ['add_cross_attention', false],
  ] as const)
    if ((reader.json[key] ?? usual) !== usual) reader.refuse(key, `only ${usual} is`)
  const dim = reader.size('n_embd')
  const heads = reader.size('n_head')
  const { n_ctx: older } = reader.json
  const config: ModelConfig = {
    arch: 'gpt2',
    vocab: reader.size('vocab_size'),
    dim,
    layers: reader.layers('n_layer'),
    heads,
    kvHeads: heads,
    ff: typeof reader.json.n_inner === 'number' ? reader.size('n_inner') : 4 * dim,
    eps: reader.number('layer_norm_epsilon', 1e-5),
    context: reader.size('n_positions', typeof older === 'number' ? older : undefined),
    activation: reader.activation(
      'activation_function',
      ['gelu', 'gelu_tanh', 'silu', 'gelu_sprint'],
      'gelu_new',
    ),
    tied: reader.json.tie_word_embeddings !== false,
  }
  reader.divides(config)
  return config
}

function write(c: ModelConfig, { bos, end }: { bos?: number; end?: number }): HfConfig {
  return {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    bos_token_id: bos,
    eos_token_id: end,
    vocab_size: c.vocab,
    tie_word_embeddings: c.tied,
    n_embd: c.dim,
    n_head: c.heads,
    n_layer: c.layers,
    n_inner: c.ff,
    n_positions: c.context,
    layer_norm_epsilon: c.eps,
    activation_function: activationToHf[c.activation],
  }
}
