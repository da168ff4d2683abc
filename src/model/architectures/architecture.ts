/** What an architecture is: data that the float reference, the trainer and the compiler of private plans all read. */
import type { ModelConfig } from './config.ts'
import type { HfConfig, HfReader } from './hf-reader.ts'

/** Where the norms of the blocks stand. Names are prefixes of tensors, without `.weight` and `.bias`. */
export type Norms =
  /** A block reads a normalised copy of the stream, and adds to the stream itself (GPT-2, LLaMA). */
  | {
      readonly placement: 'pre'
      /** Within a layer: the norms before attention and before the feed-forward block. */
      readonly attention: string
      readonly feedForward: string
      /** Within a layer: norms of what the blocks add to the stream, of models that have them. */
      readonly attentionOutput?: string
      readonly feedForwardOutput?: string
      /** Of the model: the norm after the last layer. */
      readonly final: string
      /** Of the model: a norm after the embedding, of models whose first attention reads its result as it is. */
      readonly embedding?: string
    }
  /** What a block's sum is normalised to is read by the next block and carried on as its stream, too (BERT). */
  | {
      readonly placement: 'post'
      /** Of the model: the norm after the embedding. */
      readonly embedding: string
      /** Within a layer: the norms after attention and after the feed-forward block. */
      readonly attention: string
      readonly feedForward: string
    }
  /**
   * Without gains. `fused`: one norm a layer, behind attention, whose rows are carried on; a feed-forward block without
   * biases that is homogeneous may run before it is known. `shared`: one norm a layer, which both blocks read.
   */
  | { readonly placement: 'fused' | 'shared' }

/** Tensors of what follows the last norm. Prefixes, but for `decoder` and `decoderBias`, which are whole names. */
export interface HeadNames {
  /** The output matrix over the vocabulary, of models whose embedding does not serve as one. */
  readonly decoder: string
  readonly decoderBias?: string
  /** What a masked language model's head applies before it: a dense layer, the activation and a norm. */
  readonly transform?: string
  readonly transformNorm?: string
  /** What every head begins with, a dense layer that has no bias. */
  readonly common?: { readonly dense: string; readonly norm: string }
  /** A classifier: a dense layer of the first row with an activation behind it, if any, and the output matrix over the labels. */
  readonly pool?: string
  /** tanh where nothing is said. */
  readonly poolActivation?: PoolActivation
  readonly classifier?: string
  /** The output matrix over the labels of every row. */
  readonly tagger?: string
}

/** What may follow a classifier's first dense layer. */
export type PoolActivation = 'tanh' | 'relu' | 'gelu'

/** What an architecture's tensors are called: whole names of tables, prefixes of matrices and norms. */
export interface TensorNames {
  /** Tables that are summed to embed a token, in this order. */
  readonly tables: {
    readonly token: string
    readonly position?: string
    readonly type?: string
  }
  /** The matrix that takes rows of narrow tables, normalised, to the stream's width, in models that have such tables. */
  readonly projection?: string
  /** Layer l's tensors begin with `${layers}.${l}.`, or all with `${layers}.0.` where the layers are one and the same. */
  readonly layers: string
  readonly isShared?: boolean
  /** Within a layer: queries, keys and values, or the one matrix that holds the three one after another. */
  readonly qkv: readonly [string, string, string] | readonly [string]
  /** Within a layer: norms of every head of queries and keys by itself, of models that have them. */
  readonly headNorms?: readonly [query: string, key: string]
  readonly attentionOutput: string
  /**
   * The first feed-forward product: gate and up, which may be one matrix that holds both one after the other, or (not gated)
   * the one that the activation reads.
   */
  readonly feedForward: readonly [gate: string, up: string] | readonly [string]
  readonly feedForwardOutput: string
  readonly norms: Norms
  readonly head: HeadNames
}

/** The form's `config.json`. */
export interface HuggingFaceForm {
  /** Values of `model_type` that have this form, and those that only seem to, with the reason. */
  readonly modelTypes: readonly string[]
  readonly refused?: Readonly<Record<string, string>>
  /** Throws `HfConfigError` naming what is missing or not supported. */
  read(reader: HfReader): ModelConfig
  /** As `read` takes it back. */
  write(config: ModelConfig, text: { bos?: number; end?: number }): HfConfig
}

/** One form of transformer. A new one is a file with such an object, and a line in the registry. */
export interface Architecture {
  /** `arch` in a configuration. */
  readonly name: string
  /** Positions that a row attends to: itself and earlier ones, or all of its text. */
  readonly attention: 'causal' | 'bidirectional'
  /** Rows are divided by their root mean square, or centred and divided by their standard deviation. */
  readonly norm: 'rms' | 'layer'
  /** What is added to a stored gain of RMSNorm; nothing where the gain itself is stored. */
  readonly gainOffset?: number
  /** Whether LayerNorms have a gain alone. */
  readonly isUnshifted?: boolean
  /** Whether a token's row of the embedding is multiplied by the root of the stream's width. */
  readonly isEmbeddingScaled?: boolean
  /** Attention weights are exp(q k' / sqrt(headDim)) or, in octaves, 2^(q k'), over their sum. */
  readonly scores: 'scaled' | 'octaves'
  /**
   * Queries and keys turn with their position (`rotary`), or scores fall with the distance (`alibi`); a table of positions
   * is named among the tensors.
   */
  readonly positions: 'rotary' | 'alibi' | 'table'
  /** Which matrices of the layers have biases: all, those of attention, those of queries, keys and values, or none. */
  readonly biases: 'all' | 'attention' | 'qkv' | 'none'
  /** Orientation of stored matrices: `[out, in]`, or `[in, out]` (GPT-2's `Conv1D`). */
  readonly layout: 'out-in' | 'in-out'
  readonly tensors: TensorNames
  /** Other names under which checkpoints have a tensor. */
  aliases(tensor: string): string[]
  readonly huggingFace: HuggingFaceForm
}
