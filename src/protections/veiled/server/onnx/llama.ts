/** LLaMA and its kin: Mistral, Qwen2, Qwen3, and Mixtral, whose feed-forward blocks are some of several. */
import { ropeFromHf, turnedFromHf } from '../../../../model/architectures/hf-rope.ts'
import { rotaryFrequencies } from '../../../../model/rope.ts'
import { activate, activations } from './activate.ts'
import type { DecoderFamily, DecoderParts } from './decoder-family.ts'
import type { Value } from './graph.ts'

export const llama: DecoderFamily = {
  modelTypes: ['llama', 'mistral', 'qwen2', 'qwen3', 'mixtral'],
  head: 'lm_head.weight',

  sizes({ read }) {
    const heads = read.size('num_attention_heads', 32)
    const dim = read.size('hidden_size', 4096)
    const width = read.size('head_dim', dim / heads)
    const positions = read.size('max_position_embeddings', 2048)
    const { sliding_window: window, use_sliding_window: isUsed = true } = read.json
    // Within its window a sliding one sees all.
    const context = typeof window === 'number' && isUsed ? Math.min(positions, window) : positions
    const rope = ropeFromHf(read, positions)
    const kind = rope.ropeScaling?.kind ?? 'linear'
    if (!['linear', 'dynamic', 'llama3'].includes(kind))
      read.refuse('rope_scaling', `${kind} scales attention as well; --engine llama or --upstream has it`)
    turnedFromHf(read, width, undefined)
    const frequencies = rotaryFrequencies({ dim: heads * width, heads, context, ...rope })
    const table = (of: (angle: number) => number) =>
      Float32Array.from({ length: (context * width) / 2 }, (_, i) =>
        of(Math.floor(i / (width / 2)) * frequencies[i % (width / 2)]),
      )
    return {
      ...{ context, heads, width },
      vocab: read.size('vocab_size', 32000),
      layers: read.layers('num_hidden_layers', 32),
      kvHeads: read.size('num_key_value_heads', heads),
      rotary: { cos: table(Math.cos), sin: table(Math.sin) },
    }
  },

  rows(parts) {
    const { graph, weights, checkpoint, sizes, embed, attend } = parts
    const eps = checkpoint.read.number('rms_norm_eps', 1e-6)
    let x = embed('model.embed_tokens.weight')
    for (let layer = 0; layer < sizes.layers; layer++) {
      const at = `model.layers.${layer}`
      const attention = weights.rmsNorm(x, `${at}.input_layernorm`, eps)
      const [query, key, value] = ['q', 'k', 'v'].map((name) =>
        weights.dense(attention, `${at}.self_attn.${name}_proj`),
      )
      const mixed = attend(
        layer,
        headNorm(parts, query, `${at}.self_attn.q_norm`, sizes.heads, eps),
        headNorm(parts, key, `${at}.self_attn.k_norm`, sizes.kvHeads, eps),
        value,
      )
      x = graph.op('Add', [x, weights.dense(mixed, `${at}.self_attn.o_proj`)])
      const inner = weights.rmsNorm(x, `${at}.post_attention_layernorm`, eps)
      x = graph.op('Add', [x, feedForward(parts, inner, at)])
    }
    return weights.rmsNorm(x, 'model.norm', eps)
  },
}

/** Qwen3's norm of each head. */
function headNorm(
  { graph, weights, sizes }: DecoderParts,
  x: Value,
  prefix: string,
  heads: number,
  eps: number,
): Value {
  if (!weights.has(`${prefix}.weight`)) return x
  const apart = graph.op('Reshape', [x, graph.integers(0, 0, heads, sizes.width)])
  const normed = weights.rmsNorm(apart, prefix, eps)
  return graph.op('Reshape', [normed, graph.integers(0, 0, heads * sizes.width)])
}

function feedForward(parts: DecoderParts, x: Value, at: string): Value {
  return parts.weights.has(`${at}.block_sparse_moe.gate.weight`)
    ? experts(parts, x, `${at}.block_sparse_moe`)
    : gated(parts, x, `${at}.mlp.gate_proj`, `${at}.mlp.up_proj`, `${at}.mlp.down_proj`)
}

function gated({ graph, weights, checkpoint }: DecoderParts, x: Value, ...names: string[]): Value {
  const [gate, up, down] = names
  const kind = checkpoint.read.activation('hidden_act', activations, 'silu')
  const gates = activate(graph, weights.dense(x, gate), kind)
  return weights.dense(graph.op('Mul', [gates, weights.dense(x, up)]), down)
}

/**
 * The likeliest experts' outputs, each by its share (Jiang et al., 2024). All experts run on all tokens, and those that were
 * not chosen have a share of 0: exact, and dearer than an engine that skips them.
 */
function experts(parts: DecoderParts, x: Value, at: string): Value {
  const { graph, weights, checkpoint } = parts
  const active = checkpoint.read.size('num_experts_per_tok', 2)
  const count = checkpoint.read.size('num_local_experts', 8)
  const logits = weights.dense(x, `${at}.gate`)
  const [best, chosen] = graph.ops('TopK', [logits, graph.integers(active)], 2, { axis: -1 })
  const shares = graph.op('Softmax', [best], { axis: -1 })
  const none = graph.op('Mul', [logits, graph.scalar(0)])
  const spread = graph.op('ScatterElements', [none, chosen, shares], { axis: -1 })
  let sum: Value | undefined
  for (let expert = 0; expert < count; expert++) {
    const names = ['w1', 'w3', 'w2'].map((name) => `${at}.experts.${expert}.${name}`)
    const share = graph.op('Gather', [spread, graph.integers(expert)], { axis: -1 })
    const out = graph.op('Mul', [gated(parts, x, ...names), share])
    sum = sum === undefined ? out : graph.op('Add', [sum, out])
  }
  return sum!
}
