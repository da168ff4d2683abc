/** A model as a graph of layers: what is computed from which tensors, whatever its architecture calls them. */
import type { PoolActivation } from '../architectures/architecture.ts'
import type { Activation } from '../architectures/config.ts'

/** A table whose rows are summed to embed a token, `[rows, width]`, in most models as wide as the stream: the row is the token's, its position's or its type's. */
export interface Table {
  readonly tensor: string
  readonly by: 'token' | 'position' | 'type'
  readonly rows: number
  /** The row of the first position; 0 for tokens and types. */
  readonly offset: number
  /** What a row is multiplied by; 1 where nothing is said. */
  readonly scale?: number
}

/** y = x W' + b. */
export interface Dense {
  readonly weight: string
  readonly bias?: string
  readonly inputs: number
  readonly outputs: number
  /** Orientation of the stored matrix: `[out, in]` or `[in, out]`. */
  readonly layout: 'out-in' | 'in-out'
  /** Where several matrices are stored in one tensor, outputs side by side: its first output, and how many all have. */
  readonly part?: { readonly from: number; readonly of: number }
}

/**
 * Rows divided by the root of their mean square (`rms`; Zhang and Sennrich, 2019), or of their variance once their mean is
 * taken off (`layer`; Ba et al., 2016); times the gain, plus the shift.
 */
export type LearnedNorm =
  /** `offset` is added to the stored gain. */
  | { readonly kind: 'rms'; readonly gain: string; readonly offset?: number }
  /** In some models without a shift. */
  | { readonly kind: 'layer'; readonly gain: string; readonly shift?: string }

/** Or rows divided by the root of their mean square and no more (`unit`), or left as they are (`none`). */
export type Norm = LearnedNorm | { readonly kind: 'unit' } | { readonly kind: 'none' }

/** A norm that has learned something. Throws for one that has not. */
export function learned(norm: Norm): LearnedNorm {
  if (norm.kind === 'unit' || norm.kind === 'none')
    throw new Error('A norm of the model has no gain; this way of computing it needs one.')
  return norm
}

/**
 * n = attentionNorm(x); x = skip(x, n) + attentionOutput(attention(query n, key n, value n));
 * m = feedForwardNorm(x); x = skip(x, m) + down(act(gate m) * up m), without `up` in models that are not gated. Where the
 * blocks are parallel, m = n, and both are added to x. What a block adds may have a norm of its own.
 */
export interface Layer {
  readonly attentionNorm: Norm
  readonly query: Dense
  readonly key: Dense
  readonly value: Dense
  /** In some models, norms of every head of queries and keys by itself, before they turn: one gain for all heads. */
  readonly queryNorm?: LearnedNorm
  readonly keyNorm?: LearnedNorm
  readonly attentionOutput: Dense
  readonly attentionOutputNorm?: LearnedNorm
  readonly feedForwardNorm: Norm
  /** What the activation reads. */
  readonly gate: Dense
  readonly up?: Dense
  readonly down: Dense
  readonly downNorm?: LearnedNorm
}

/** A dense layer, the model's activation, and a norm. */
export interface Transform {
  readonly dense: Dense
  readonly norm: LearnedNorm
}

/** What follows the final norm. */
export type Head =
  /** The final norm's rows are the result. */
  | { readonly kind: 'none' }
  /** Logits over the vocabulary, of rows that went through a dense layer, the activation and a norm where there are some. */
  | {
      readonly kind: 'tokens'
      readonly transform?: Transform
      readonly output: Dense
    }
  /**
   * Logits over labels: the first row, or the mean of all, through `pool`, its activation and a norm, where there are some,
   * and `output`.
   */
  | {
      readonly kind: 'labels'
      readonly reads: 'first' | 'mean'
      readonly pool?: Dense
      readonly poolActivation: PoolActivation
      readonly poolNorm?: LearnedNorm
      readonly output: Dense
    }
  /** Logits over labels, of every row, which may have gone through a transform as a masked language model's. */
  | { readonly kind: 'tags'; readonly transform?: Transform; readonly output: Dense }

/** A model without its weights: what is computed, in order, and which tensors it takes. */
export interface ModelGraph {
  /** Positions that a row attends to: itself and earlier ones, or all of its text. */
  readonly attention: 'causal' | 'bidirectional'
  /**
   * What skip connections carry on: the stream that the norm reads, or what the norm makes of it. A norm *behind* each
   * block (BERT) is the next block's norm here, so that all models have one form.
   */
  readonly skip: 'stream' | 'normalised'
  /** Of all norms: whether they centre their rows. */
  readonly norm: LearnedNorm['kind']
  /** Whether a layer's feed-forward block reads what its attention reads (Wang and Komatsuzaki, 2021). */
  readonly isParallel: boolean
  /** What the sum of the tables' rows goes through before it is the stream: a norm, and a matrix where the tables are narrower. */
  readonly embeddingNorm: Norm
  readonly projection?: Dense
  /** Attention weights are exp(q k' / sqrt(headDim)) or, in octaves, 2^(q k'), over their sum. */
  readonly scores: 'scaled' | 'octaves'
  readonly isRotary: boolean
  /** Whether scores fall with the distance, by a slope for each head: see `src/model/alibi.ts`. */
  readonly isAlibi: boolean
  readonly isGated: boolean
  /** In the feed-forward blocks and in a head's transform. */
  readonly activation: Activation
  readonly tables: readonly Table[]
  readonly layers: readonly Layer[]
  readonly finalNorm: Norm
  readonly head: Head
}
