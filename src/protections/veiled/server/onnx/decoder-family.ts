/** What tells one family of decoders from another. */
import type { Checkpoint } from '../checkpoint.ts'
import type { Graph, Value } from './graph.ts'
import type { Weights } from './weights.ts'

/** What attention of a family is like. */
export interface DecoderSizes {
  readonly vocab: number
  readonly context: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  /** Numbers of one head. */
  readonly width: number
  /** cos and sin of every position's angles, `[context, width / 2]`; of rotary models. */
  readonly rotary?: { readonly cos: Float32Array; readonly sin: Float32Array }
}

/** Queries, keys and values `[texts, tokens, heads x width]`, to what comes of them for the output matrix. */
export type Attend = (layer: number, query: Value, key: Value, value: Value) => Value

/** A family of decoders. */
export interface DecoderFamily {
  readonly modelTypes: readonly string[]
  /** Throws `HfConfigError` for a form that it does not know. */
  sizes(checkpoint: Pick<Checkpoint, 'read'>): DecoderSizes
  /** From embedded ids `[texts, tokens]` to the last norm's rows `[texts, tokens, dim]`. `positions` are of the same shape. */
  rows(parts: DecoderParts): Value
  /** The output matrix, `[vocab, dim]`. */
  readonly head: string
}

/** What a family builds its graph of. */
export interface DecoderParts {
  readonly graph: Graph
  readonly weights: Weights
  readonly checkpoint: Checkpoint
  readonly sizes: DecoderSizes
  /** The rows `[texts, tokens, dim]` of the ids in a table, but those of pictures, which come from elsewhere. */
  embed(table: string): Value
  /** Declares an input: only where a family adds positions to its rows. */
  positions(): Value
  readonly attend: Attend
}
