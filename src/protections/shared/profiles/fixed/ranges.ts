/** What a model's activations span, measured on text: public metadata from which `compile` chooses every ring. */

export type Interval = [low: number, high: number]

/** What a product spans that has a norm of its own: a layer's queries, keys, or what a block adds to the stream. */
export interface OwnNormRanges {
  /** Largest |component|, as the product gives it. */
  raw: number
  /** What the norm divides by, squared. */
  meanSquare: Interval
  /** Largest |component| times its gain before the division; of queries, times the scale of the scores; turned. */
  gained: number
}

/** What one layer's values span. */
export interface LayerRanges {
  /** Largest |residual| before attention and before the feed-forward block (LayerNorm models: centred). */
  x: number
  /** Mean squares that the two norms divide by. */
  meanSquare1: Interval
  meanSquare2: Interval
  /** Largest normalised activation before attention. */
  normal1: number
  /** Of models with such norms: of heads of queries and keys, and of what the two blocks add to the stream. */
  query?: OwnNormRanges
  key?: OwnNormRanges
  added?: OwnNormRanges
  fed?: OwnNormRanges
  /** Largest |value|. */
  v: number
  /** Attention logits times log2(e). */
  score: Interval
  /** The lowest of all rows' largest ones, likewise; of models with a constant softmax cap. */
  peak?: number
  /** Largest |first feed-forward product| before its normalisation and bias. */
  raw: number
  /** Largest |product| of the residual columns beside it, where there are some. */
  rawResidual?: number
  /** Largest |activation input| and, in gated models, |up|. */
  gate: number
  up: number
}

/** A head's transform: the largest |input of its activation|, and what the norm after it reads, where there is one. */
export interface PoolRanges {
  input: number
  x: number
  meanSquare: Interval
  normal: number
}

/** All that calibration measures; public. */
export interface Ranges {
  layers: LayerRanges[]
  /** `logits`: the largest |logit|, for models whose head is private. */
  final: { x: number; meanSquare: Interval; normal: number; logits: number }
  pool?: PoolRanges
}
