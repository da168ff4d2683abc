/** GPT-2 (Radford et al., 2019). */
import { activate, activations } from './activate.ts'
import type { DecoderFamily } from './decoder-family.ts'

export const gpt2: DecoderFamily = {
  modelTypes: ['gpt2'],
  head: 'lm_head.weight',

  sizes({ read }) {
    if (read.json.scale_attn_weights === false || read.json.scale_attn_by_inverse_layer_idx === true)
      read.complain('scores of attention must be scaled by the width of a head, as GPT-2’s are.')
    const heads = read.size('n_head', 12)
    const dim = read.size('n_embd', 768)
    return {
      ...{ heads, kvHeads: heads, width: dim / heads },
      vocab: read.size('vocab_size', 50257),
      context: read.size('n_positions', 1024),
      layers: read.layers('n_layer', 12),
    }
  },

  rows({ graph, weights, checkpoint: { read }, sizes, embed, positions, attend }) {
    const eps = read.number('layer_norm_epsilon', 1e-5)
    const kind = read.activation('activation_function', activations, 'gelu_new')
    const prefix = weights.has('transformer.wte.weight') ? 'transformer.' : ''
    const placed = graph.op('Gather', [weights.constant(`${prefix}wpe.weight`), positions()])
    let x = graph.op('Add', [embed(`${prefix}wte.weight`), placed])
    for (let layer = 0; layer < sizes.layers; layer++) {
      const at = `${prefix}h.${layer}`
      const projected = weights.conv(weights.layerNorm(x, `${at}.ln_1`, eps), `${at}.attn.c_attn`)
      const [query, key, value] = graph.ops('Split', [projected], 3, { axis: -1 })
      x = graph.op('Add', [x, weights.conv(attend(layer, query, key, value), `${at}.attn.c_proj`)])
      const inner = weights.conv(weights.layerNorm(x, `${at}.ln_2`, eps), `${at}.mlp.c_fc`)
      x = graph.op('Add', [x, weights.conv(activate(graph, inner, kind), `${at}.mlp.c_proj`)])
    }
    return weights.layerNorm(x, `${prefix}ln_f`, eps)
  },
}
