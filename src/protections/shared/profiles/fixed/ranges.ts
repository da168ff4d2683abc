/** What a model's activations span, measured on text: public metadata from which `compile` chooses every ring. */

export type Interval = [low: number, high: number]

/** What one layer's queries or keys span where every head is normed by itself. */
export interface HeadRanges {
  /** Largest |component|, as the product gives it. */
  raw: number
  /** What the norm divides by, squared. */
  meanSquare: Interval
  /** Largest |component| times its gain and, of queries, the scale of the scores, turned, before the division. */
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
  /** Of models whose heads are normed. */
  query?: HeadRanges
  key?: HeadRanges
  /** Largest |value|. */
  v: number
  /** Attention logits times log2(e). */
  score: Interval
  /** The lowest of all rows' largest ones, likewise; of models with a constant softmax cap. */
  peak?: number
  /** Largest |first feed-forward product| before its normalisation and bias. */
  raw: number
  /** The same of the residual columns beside it, where there are some. */
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
