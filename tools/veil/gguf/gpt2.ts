/** GPT-2 as llama.cpp has it. */
import type { GgufForm, GgufSource } from './form.ts'

export const gpt2Form: GgufForm = {
  modelTypes: ['gpt2'],
  facts(read) {
    read.activation('activation_function', ['gelu_tanh'], 'gelu_new')
    const dim = read.size('n_embd', 768)
    const inner = typeof read.json.n_inner === 'number' ? read.size('n_inner') : 4 * dim
    return {
      'general.architecture': { string: 'gpt2' },
      'gpt2.context_length': { u32: read.size('n_positions', 1024) },
      'gpt2.embedding_length': { u32: dim },
      'gpt2.block_count': { u32: read.layers('n_layer', 12) },
      'gpt2.feed_forward_length': { u32: inner },
      'gpt2.attention.head_count': { u32: read.size('n_head', 12) },
      'gpt2.attention.layer_norm_epsilon': { f32: read.number('layer_norm_epsilon', 1e-5) },
    }
  },
  tensors(read) {
    const layers = read.layers('n_layer', 12)
    return [
      { name: 'token_embd.weight', from: ['wte.weight'] },
      { name: 'position_embd.weight', from: ['wpe.weight'], isSingle: true },
      ...Array.from({ length: layers }, (_, layer) => layerOf(layer)).flat(),
      ...both('output_norm', 'ln_f', false),
      { name: 'output.weight', from: ['lm_head.weight'] },
    ]
  },
}

const both = (name: string, from: string, isTransposed: boolean): GgufSource[] => [
  {
    name: `${name}.weight`,
    from: [`${from}.weight`],
    ...(isTransposed ? { isTransposed } : { isSingle: true }),
  },
  { name: `${name}.bias`, from: [`${from}.bias`], isSingle: true },
]

function layerOf(layer: number): GgufSource[] {
  const [to, at] = [`blk.${layer}`, `h.${layer}`]
  return [
    ...both(`${to}.attn_norm`, `${at}.ln_1`, false),
    ...both(`${to}.attn_qkv`, `${at}.attn.c_attn`, true),
    ...both(`${to}.attn_output`, `${at}.attn.c_proj`, true),
    ...both(`${to}.ffn_norm`, `${at}.ln_2`, false),
    ...both(`${to}.ffn_up`, `${at}.mlp.c_fc`, true),
    ...both(`${to}.ffn_down`, `${at}.mlp.c_proj`, true),
  ]
}
