/**
 * What runs a veiled model: an ordinary engine, which knows nothing of veils. It gets the cloud's ids and gives the cloud's
 * logits, in the order that the veiled checkpoint has them.
 */

/** Of so many next tokens owners are told: an ordinary sampler looks at no more. */
export const TOP = 40

/** An engine with one model loaded. */
export type Engine = DecoderEngine | LabelEngine | PictureEngine

interface AnyEngine {
  /** For people: what computes, and where. */
  readonly name: string
  close(): Promise<void>
}

interface TextEngine extends AnyEngine {
  /** Rows of the embedding: ids are below it. */
  readonly vocab: number
  /** Longest text, in tokens. */
  readonly context: number
}

/** Writes on, token by token. */
export interface DecoderEngine extends TextEngine {
  readonly kind: 'decoder'
  /** How many of the likeliest next tokens it tells. */
  readonly top: number
  /** Of one that reads pictures with its texts: patches of a picture, numbers of each, and the token in whose place they stand. */
  readonly pictures?: { readonly patches: number; readonly pixels: number; readonly token: number }
  /** A text of its own, with nothing cached. Rejects with `SessionError` `too-many-sessions` where there is no place. */
  open(): Promise<DecoderSession>
}

/** One text's cache. Calls come one after another. */
export interface DecoderSession {
  /**
   * Reads `ids` behind the first `base` cached tokens, and forgets what was cached behind those. Resolves with the
   * likeliest next tokens, the likeliest first. Rejects with `signal.reason` once it is aborted: then `base` tokens are
   * cached still. Rejects with `SessionError`.
   */
  next(base: number, ids: Uint32Array, signal: AbortSignal): Promise<TopLogits>
  /** Takes a picture `[patches, pixels]`, which stands in place of the tokens for one that are read from here on. */
  look?(picture: Float32Array, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Tokens and their logits, or anything that differs from them by one constant. */
export interface TopLogits {
  readonly ids: Uint32Array
  readonly logits: Float32Array
}

/** Reads whole texts, and labels them. */
export interface LabelEngine extends TextEngine {
  readonly kind: 'labels'
  /** Rows of the token type table. */
  readonly types: number
  readonly labels: number
  /** Logits of the labels. Rejects with `signal.reason` once it is aborted. */
  classify(ids: Uint32Array, types: Uint8Array, signal: AbortSignal): Promise<Float32Array>
}

/** Reads pictures, and labels them. */
export interface PictureEngine extends AnyEngine {
  readonly kind: 'picture'
  /** Of a picture, and numbers of each. */
  readonly patches: number
  readonly pixels: number
  readonly labels: number
  /** Logits of the labels for `[patches, pixels]`. Rejects with `signal.reason` once it is aborted. */
  label(picture: Float32Array, signal: AbortSignal): Promise<Float32Array>
}

/** A checkpoint cannot be run by the engine that was asked for; `message` says why, and what else there is. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
}
