/** Shared vocabulary of the model layer: what a model is, and what a tensor is. */

export type Activation = 'silu' | 'gelu' | 'gelu_tanh'

/** Shape and constants of a decoder-only transformer. */
export interface ModelConfig {
  arch: 'llama' | 'gpt2'
  vocab: number
  /** Width of the residual stream. */
  dim: number
  layers: number
  heads: number
  /** Key/value heads; equals `heads` without grouped-query attention. */
  kvHeads: number
  /** Inner width of the feed-forward block. */
  ff: number
  /** Added to the mean square (RMSNorm) or variance (LayerNorm) before the root. */
  eps: number
  /** Longest sequence, in tokens. */
  context: number
  /** Base of the rotary angles; LLaMA form only. */
  ropeTheta?: number
  activation: Activation
  /** Whether the output head is the embedding matrix. */
  tied: boolean
}

/** A dense row-major tensor. */
export interface Tensor {
  shape: number[]
  data: Float32Array
}

/**
 * Weights by Hugging Face name, in Hugging Face orientation:
 * LLaMA linear weights are `[out, in]` (`model.layers.0.self_attn.q_proj.weight`),
 * GPT-2 `Conv1D` weights are `[in, out]` (`h.0.attn.c_attn.weight`).
 */
export type Tensors = Map<string, Tensor>

/** Size of one attention head. */
export const headDim = (config: ModelConfig): number => config.dim / config.heads

/** The demonstration model: small enough to train on a laptop in an hour. */
export const demoConfig: ModelConfig = {
  arch: 'llama',
  vocab: 4096,
  dim: 256,
  layers: 4,
  heads: 4,
  kvHeads: 2,
  ff: 640,
  eps: 1e-5,
  context: 512,
  ropeTheta: 10000,
  activation: 'silu',
  tied: true,
}

/** Name and shape of every tensor of a model, in canonical order. */
export function tensorShapes(config: ModelConfig): Map<string, number[]> {
  return config.arch === 'llama' ? llamaShapes(config) : gpt2Shapes(config)
}

function llamaShapes(c: ModelConfig): Map<string, number[]> {
  const kv = c.kvHeads * headDim(c)
  const shapes = new Map([['model.embed_tokens.weight', [c.vocab, c.dim]]])
  for (let i = 0; i < c.layers; i++) {
    const p = `model.layers.${i}.`
    shapes.set(`${p}input_layernorm.weight`, [c.dim])
    shapes.set(`${p}self_attn.q_proj.weight`, [c.dim, c.dim])
    shapes.set(`${p}self_attn.k_proj.weight`, [kv, c.dim])
    shapes.set(`${p}self_attn.v_proj.weight`, [kv, c.dim])
    shapes.set(`${p}self_attn.o_proj.weight`, [c.dim, c.dim])
    shapes.set(`${p}post_attention_layernorm.weight`, [c.dim])
    shapes.set(`${p}mlp.gate_proj.weight`, [c.ff, c.dim])
    shapes.set(`${p}mlp.up_proj.weight`, [c.ff, c.dim])
    shapes.set(`${p}mlp.down_proj.weight`, [c.dim, c.ff])
  }
  shapes.set('model.norm.weight', [c.dim])
  if (!c.tied) shapes.set('lm_head.weight', [c.vocab, c.dim])
  return shapes
}

function gpt2Shapes(c: ModelConfig): Map<string, number[]> {
  const shapes = new Map([
    ['wte.weight', [c.vocab, c.dim]],
    ['wpe.weight', [c.context, c.dim]],
  ])
  const linear = (name: string, inputs: number, outputs: number) => {
    shapes.set(`${name}.weight`, [inputs, outputs])
    shapes.set(`${name}.bias`, [outputs])
  }
  const norm = (name: string) => {
    shapes.set(`${name}.weight`, [c.dim])
    shapes.set(`${name}.bias`, [c.dim])
  }
  for (let i = 0; i < c.layers; i++) {
    norm(`h.${i}.ln_1`)
    linear(`h.${i}.attn.c_attn`, c.dim, 3 * c.dim)
    linear(`h.${i}.attn.c_proj`, c.dim, c.dim)
    norm(`h.${i}.ln_2`)
    linear(`h.${i}.mlp.c_fc`, c.dim, c.ff)
    linear(`h.${i}.mlp.c_proj`, c.ff, c.dim)
  }
  norm('ln_f')
  if (!c.tied) shapes.set('lm_head.weight', [c.vocab, c.dim])
  return shapes
}
