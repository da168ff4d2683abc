/** Shared vocabulary of the model layer: what a model is, and what a tensor is. */

/**
 * `gelu_sprint` is the quartic that SPRINT trains and serves with (see `math.ts`); `linear` leaves a gate as it is, so that
 * the feed-forward block is bilinear (Shazeer, 2020).
 */
export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'gelu_sprint' | 'relu' | 'linear'

/**
 * What an encoder is for: numbers of labels for a text, or for each of its tokens (`tag`); or probabilities of the tokens
 * under masks. `pairs` states that it was trained on pairs of texts, which the number of token types alone does not tell;
 * `pooling` that a classifier reads the mean of all rows, and not the first one.
 */
export type EncoderHead =
  | { kind: 'classify'; labels: string[]; pairs?: boolean; outputs?: LabelOutputs; pooling?: 'mean' }
  | { kind: 'tag'; labels: string[] }
  | { kind: 'mlm' }

/**
 * What a classifier's logits become: probabilities of labels of which one is right, where nothing is said; of labels each of
 * which may be right (`sigmoid`); or they are scores as they are (`raw`), as rerankers and regressions have them.
 */
export type LabelOutputs = 'sigmoid' | 'raw'

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
  | {
      kind: 'yarn'
      factor: number
      original: number
      /** Turns within the original context from which on a pair stays as it is, and up to which it is interpolated. */
      fast: number
      slow: number
      /** Whether the pairs between which it changes over are whole numbers. */
      truncate: boolean
      /** What queries and keys are multiplied by. */
      attention: number
    }
  /** A factor for each pair: `short` within the original context, `long` for one that goes beyond. */
  | { kind: 'longrope'; factor: number; original: number; attention: number; short: number[]; long: number[] }

/** Shape and constants of a transformer. */
export interface ModelConfig {
  /** Name of an architecture of the registry. */
  arch: string
  vocab: number
  /** Width of the embedding's tables, where a matrix takes their rows to the residual stream's width. */
  embedding?: number
  /** Width of the residual stream. */
  dim: number
  layers: number
  heads: number
  /** Key/value heads; equals `heads` without grouped-query attention. */
  kvHeads: number
  /** Width of a head, where the heads together are not as wide as the residual stream. */
  headDim?: number
  /** Inner width of the feed-forward block. */
  ff: number
  /** Added to the mean square (RMSNorm) or variance (LayerNorm) before the root. */
  eps: number
  /** Longest sequence, in tokens. */
  context: number
  /** Base of the rotary angles; rotary models only. */
  ropeTheta?: number
  ropeScaling?: RopeScaling
  /** Components of a head that turn, where not all do: the first ones. */
  rotaryDim?: number
  /**
   * Layers whose positions turn by a base of their own, unscaled: those that see a window in the original. An encoder's
   * rows see so many positions on either side there; a decoder's context ends with the window.
   */
  localRotary?: { theta: number; layers: number[]; window?: number }
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
  /** Attention's scores are divided by the root of this, where not by that of a head's width. */
  scoreDim?: number
  /** Logits over the vocabulary go through cap * tanh(x / cap). */
  logitCap?: number
  /** SPRINT's softmax: (1 + (x - cap) / 256)^256 over its sum, with a constant cap instead of the row's maximum. */
  softmaxCap?: number
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

/** Tensors by name, as they are asked for: a map, or files of which only what is needed is read. */
export type TensorLookup = Pick<ReadonlyMap<string, Tensor>, 'get'>

/** Size of one attention head. */
export const headDim = (config: Pick<ModelConfig, 'dim' | 'heads' | 'headDim'>): number =>
  config.headDim ?? config.dim / config.heads

/** Components of a head that turn, in rotary models. */
export const rotaryDim = (config: Pick<ModelConfig, 'dim' | 'heads' | 'headDim' | 'rotaryDim'>): number =>
  config.rotaryDim ?? headDim(config)

/** Width of all queries together, and of what attention makes of the values. */
export const queryWidth = (config: Pick<ModelConfig, 'dim' | 'heads' | 'headDim'>): number =>
  config.heads * headDim(config)

/** Width of the embedding's tables. */
export const embeddingWidth = ({ embedding, dim }: Pick<ModelConfig, 'embedding' | 'dim'>): number =>
  embedding ?? dim

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
