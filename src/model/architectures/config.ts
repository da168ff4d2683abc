/** Shared vocabulary of the model layer: what a model is, and what a tensor is. */

/** `gelu_sprint` is the quartic that SPRINT trains and serves with (see `math.ts`). */
export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'gelu_sprint'

export type Arch = 'llama' | 'gpt2' | 'bert' | 'roberta'

/**
 * What an encoder is for: probabilities of labels, or of the tokens under masks. `pairs` states that it was trained on
 * pairs of texts, which the number of token types alone does not tell.
 */
export type EncoderHead = { kind: 'classify'; labels: string[]; pairs?: boolean } | { kind: 'mlm' }

/** Low-rank adapters: W + (alpha / rank) B A on every matrix of the layers whose last name is a target. */
export interface Lora {
  rank: number
  alpha: number
  /** For example `query`, `dense`, `q_proj`, `c_attn`. */
  targets: string[]
}

/** How a rotary model reaches beyond the context that it was first trained with. */
export type RopeScaling =
  | { kind: 'linear'; factor: number }
  | { kind: 'dynamic'; factor: number; original: number }
  | { kind: 'llama3'; factor: number; low: number; high: number; original: number }

/** Shape and constants of a transformer: a decoder (`llama`, `gpt2`) or an encoder (`bert`, `roberta`). */
export interface ModelConfig {
  arch: Arch
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
  ropeScaling?: RopeScaling
  activation: Activation
  /** Whether the output head is the embedding matrix. */
  tied: boolean
  /** Rows of the token type table; encoders only. */
  types?: number
  /** Position rows before the first token's: 2 in RoBERTa, which counts from its padding id. */
  positionOffset?: number
  /** Encoders only; without one, every row's last hidden state is the result. */
  head?: EncoderHead
  lora?: Lora
  /** Attention logits go through cap * tanh(x / cap). */
  softcap?: number
  /** SPRINT's softmax: (1 + (x - cap) / 256)^256 over its sum, with a constant cap instead of the row's maximum. */
  softmaxCap?: number
}

/** Whether rows see all rows, after a norm that follows each block: BERT and its kin. */
export const isEncoder = (config: Pick<ModelConfig, 'arch'>): boolean =>
  config.arch === 'bert' || config.arch === 'roberta'

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
  const shapes = baseShapes(config)
  if (config.lora)
    for (const [name, shape] of [...shapes]) {
      if (!isAdapted(config, name)) continue
      const [outputs, inputs] = config.arch === 'gpt2' ? [shape[1], shape[0]] : shape
      shapes.set(adapterName(name, 'A'), [config.lora.rank, inputs])
      shapes.set(adapterName(name, 'B'), [outputs, config.lora.rank])
    }
  return shapes
}

function baseShapes(config: ModelConfig): Map<string, number[]> {
  if (config.arch === 'llama') return llamaShapes(config)
  return config.arch === 'gpt2' ? gpt2Shapes(config) : encoderShapes(config)
}

/** Whether a weight of the layers carries an adapter. */
export function isAdapted({ lora }: ModelConfig, name: string): boolean {
  const parts = name.split('.')
  const inLayer = /(^|\.)(layers|layer|h)\.\d+\./.test(name)
  return inLayer && parts.at(-1) === 'weight' && (lora?.targets.includes(parts.at(-2)!) ?? false)
}

/** Name of an adapter's half: `x.query.weight` has `x.query.lora_A.weight` [rank, in] and `x.query.lora_B.weight` [out, rank]. */
export const adapterName = (weight: string, half: 'A' | 'B'): string =>
  weight.replace(/\.weight$/, `.lora_${half}.weight`)

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

/** BERT's and RoBERTa's names; all linear weights are [out, in]. */
function encoderShapes(c: ModelConfig): Map<string, number[]> {
  const p = `${c.arch}.`
  const shapes = new Map([
    [`${p}embeddings.word_embeddings.weight`, [c.vocab, c.dim]],
    [`${p}embeddings.position_embeddings.weight`, [c.context + (c.positionOffset ?? 0), c.dim]],
    [`${p}embeddings.token_type_embeddings.weight`, [c.types ?? 1, c.dim]],
  ])
  const linear = (name: string, inputs: number, outputs: number) => {
    shapes.set(`${name}.weight`, [outputs, inputs])
    shapes.set(`${name}.bias`, [outputs])
  }
  const norm = (name: string) => {
    shapes.set(`${name}.weight`, [c.dim])
    shapes.set(`${name}.bias`, [c.dim])
  }
  norm(`${p}embeddings.LayerNorm`)
  for (let i = 0; i < c.layers; i++) {
    const at = `${p}encoder.layer.${i}.`
    for (const name of ['query', 'key', 'value']) linear(`${at}attention.self.${name}`, c.dim, c.dim)
    linear(`${at}attention.output.dense`, c.dim, c.dim)
    norm(`${at}attention.output.LayerNorm`)
    linear(`${at}intermediate.dense`, c.dim, c.ff)
    linear(`${at}output.dense`, c.ff, c.dim)
    norm(`${at}output.LayerNorm`)
  }
  headShapes(c, linear, norm, shapes)
  return shapes
}

function headShapes(
  c: ModelConfig,
  linear: (name: string, inputs: number, outputs: number) => void,
  norm: (name: string) => void,
  shapes: Map<string, number[]>,
): void {
  const isBert = c.arch === 'bert'
  if (c.head?.kind === 'classify') {
    linear(isBert ? 'bert.pooler.dense' : 'classifier.dense', c.dim, c.dim)
    linear(isBert ? 'classifier' : 'classifier.out_proj', c.dim, c.head.labels.length)
  } else if (c.head) {
    linear(isBert ? 'cls.predictions.transform.dense' : 'lm_head.dense', c.dim, c.dim)
    norm(isBert ? 'cls.predictions.transform.LayerNorm' : 'lm_head.layer_norm')
    shapes.set(isBert ? 'cls.predictions.bias' : 'lm_head.bias', [c.vocab])
    if (!c.tied)
      shapes.set(isBert ? 'cls.predictions.decoder.weight' : 'lm_head.decoder.weight', [c.vocab, c.dim])
  }
}
