/** What the float reference reports while it computes. */

/** Where a norm stands: before attention, before the feed-forward block, after the last layer, in a head's transform. */
export type NormPlace = 'attention' | 'feed-forward' | 'final' | 'head'

/** What may have a norm of its own: heads of queries and of keys, and what the two blocks add to the stream. */
export type OwnNormed = 'query' | 'key' | 'added' | 'fed'

/**
 * | name | what |
 * |---|---|
 * | `…-input` | what a norm reads: the stream; in a head, the activation's result |
 * | `…-mean-square` | what it divides by, squared and without eps, `[n]`: of a LayerNorm, the variance |
 * | `…-normalised` | its rows before gain and shift |
 * | `…-stream` | its result where skip connections carry that on |
 * | `query-input`, `key-input` | what the norms of heads read, where there are some |
 * | `query-mean-square`, `key-mean-square` | what they divide by, squared and without eps, `[n, heads]` |
 * | `query`, `key`, `value` | after those norms and the rotary embedding, where there are some |
 * | `attention-logits` | scaled, before any soft cap; per row and head the positions that it sees, one after another |
 * | `mixed-values` | attention's result before its projection |
 * | `added-…`, `fed-…` | of what attention and the feed-forward block add where it has a norm: what that reads, what it divides by, and its result |
 * | `gate` | what the feed-forward block's activation reads |
 * | `up` | what gated models multiply its result by |
 * | `gated` | the result, multiplied where the model is gated |
 * | `pool` | what the activation of a head reads |
 */
export type TapName =
  | `${NormPlace}-${'input' | 'mean-square' | 'normalised' | 'stream'}`
  | `${OwnNormed}${'' | '-input' | '-mean-square'}`
  | 'value'
  | 'attention-logits'
  | 'mixed-values'
  | 'gate'
  | 'up'
  | 'gated'
  | 'pool'

/**
 * Receives intermediate values as they are computed, `[n, width]` for the n rows of one call. `layer` is the number of
 * layers for what comes after them.
 */
export type Tap = (name: TapName, layer: number, values: Float64Array) => void
