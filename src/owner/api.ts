/**
 * What a data owner's engine offers to a program that talks to it: the chat page, the terminal client, a test.
 *
 * Everything here can be structured-cloned, so the same contract holds whether the engine lives in this thread or
 * in a Web Worker behind Comlink.
 */

import type { ServedTask, Task } from '../handshake/task.ts'
import type { BackendKind } from '../kernels/choose.ts'
import type { RgbaPicture } from '../model/pictures/prepare.ts'
import type { Notice, Pooled } from '../protections/notice.ts'
import type { PartyAddress } from '../protections/party-address.ts'
import type { PictureView } from '../protections/picture-view.ts'
import type { LinkChoice } from '../transport/connect.ts'
import type { ChatOptions, ChatResult, MeasureOptions } from './chat-options.ts'
import type { Stats } from './session-stats.ts'

export type { BackendKind, LinkChoice, Notice, PartyAddress, PictureView, Pooled, RgbaPicture, Task }

/** Where the page finds the other parties. Served by the page's own origin, never by the model server. */
export interface PageConfig {
  /** Origin of the model server. */
  server: string
  /** Who runs it: a person's or an organisation's name. */
  operator?: string
  /** Further settings of a protection, by its id, such as another party and its pinned key; read by it alone. */
  protections?: Readonly<Record<string, unknown>>
  /** What relative addresses in `protections` are relative to. */
  base?: string
}

/** A model on offer, as the server describes it before any session exists. */
export interface ModelListing {
  /** Stable identifier, used in `?model=`. */
  name: string
  /** Name for people. */
  title: string
  description: string
  licence: string
  /** Hash of the bundle; the session's transcript binds it. */
  hash: string
  /** What the model runs under, in words for people. */
  protection: { id: string; needsDealer: boolean; notice: Notice; dealer?: PartyAddress }
  /** Size of the one-time public download, in bytes. */
  publicBytes: number
  parameters: number
  /** How many of the parameters never leave the model server. */
  privateParameters: number
  /** Longest conversation or text, in tokens. */
  context: number
  /** What the model is for; chat where nothing is said. */
  task?: ServedTask
  /** A classifier's labels. */
  labels?: string[]
  /** A classifier of pairs of texts. */
  pairs?: boolean
  /** Share of held-out texts that a classifier has labelled right, privately, as its owner has measured. */
  evaluation?: { accuracy: number; texts: number }
  /** What it labels, where that is not texts. */
  reads?: 'pictures'
  /**
   * What a classifier gives, where it is not one label's probability among several: see `Classification`. One of `text` answers
   * questions on pictures.
   */
  outputs?: 'sigmoid' | 'raw' | 'tags' | 'text'
}

/** One turn of a conversation, in clear. Exists at the owner only. */
export interface Message {
  role: 'user' | 'assistant'
  content: string
  /**
   * Names the turn within its conversation. One that was edited has another id, even if its text is the same: the other
   * parties see from which turn on a conversation is read again. Without one it is read again every time.
   */
  id?: string
}

/** What to connect to; an absent link or backend means "choose for me and say why". */
export interface OpenOptions {
  model: string
  link?: LinkChoice
  backend?: BackendKind
  /** Another protection than the listing's. */
  protection?: string
}

/** An open session: what was chosen, and why. */
export interface SessionInfo {
  model: ModelListing
  link: { kind: string; reason: string }
  backend: { name: string; reason: string }
  /** Where the server computes on what it can read: whether hardware vouches for an enclave, and why. */
  enclave?: { isAttested: boolean; reason: string }
  /** Whether the model's own template takes a system prompt. */
  takesSystem: boolean
  /** Address of the dealer, where there is one. */
  dealer?: string
  /** Address of the model server. */
  server: string
  sessionId: string
}

/** What progress is made with. */
export type Phase = 'model' | 'connect' | 'prefill' | 'padding'

/** What an engine tells while it works; `classified` has the place of its text among those that were given. */
export type OwnerEvent =
  | { type: 'progress'; phase: Phase; done: number; total: number; text: string }
  | { type: 'stats'; stats: Stats }
  | { type: 'notice'; text: string }
  /** The session has ended while nothing was asked of it. */
  | { type: 'lost'; error: OwnerErrorData }
  | { type: 'token'; text: string; id: number }
  | { type: 'classified'; index: number; result: Classification }
  /** A text of several that has no answer; the others go on. */
  | { type: 'unanswered'; index: number; error: OwnerErrorData }

/** A text to classify, a pair of texts, or a picture. */
export interface ClassifyInput {
  /** Of a picture, what it is called; or, for a model that answers in words, the question on it. */
  text: string
  pair?: string
  /** In place of a text, for models that read pictures. */
  picture?: RgbaPicture
}

/** A part of a text with a label, from one UTF-16 place to another. */
export interface TaggedSpan {
  start: number
  end: number
  label: string
  probability: number
}

/** What a classifier makes of a text. */
export interface Classification {
  /**
   * The likeliest label; of a model that labels tokens, the kinds of entities that there are, or none; of one that answers
   * questions on pictures, what it says.
   */
  label: string
  /**
   * One for each of the model's labels, in the model's order; they add up to one, unless each of several labels may be right.
   * None where the model gives scores, labels tokens, or answers in words.
   */
  probabilities: { label: string; probability: number }[]
  /** Of a reranker or a regression: its numbers as they are. */
  scores?: { label: string; score: number }[]
  /** Of a model that labels tokens: every word's label, and the entities that words make. */
  words?: TaggedSpan[]
  entities?: TaggedSpan[]
  /** The text was longer than the model reads, and its end was left out; or an answer in words was given up unfinished. */
  isCut: boolean
  /** Of a picture: what the model was shown, and what its server could make of it. */
  view?: PictureView
}

/** A text that was seen to take the model beyond the ranges that it was calibrated for: what came out is noise, which nobody is shown. */
export interface Unanswered {
  error: OwnerErrorData
}

/** What comes of one text of several. */
export type Answer = Classification | Unanswered

/** How long a message is, in tokens, and how long it may be to leave room for the reply. */
export interface Measured {
  tokens: number
  most: number
}

/** What an encoder makes of a text. */
export interface Embedding {
  /** What the model makes of the last hidden states: their mean, of length 1, unless it says otherwise. */
  vector: number[]
  /** Tokens of the text, special ones included. */
  tokens: number
  /** The text was longer than the model reads, and its end was left out. */
  isCut: boolean
}

/** Hears what an engine tells, in order. */
export type OnEvent = (event: OwnerEvent) => void

/** The data owner's engine. One instance is one tab and at most one session. */
export interface OwnerApi {
  models(): Promise<ModelListing[]>
  /**
   * Takes a key that a protection's models ask for (`key-needed`): a file's text. It is kept until the engine is gone.
   * Rejects with `OwnerError` for a file that is none.
   */
  giveKey(protection: string, file: string): Promise<void>
  /** Downloads the public tensors (once), agrees on keys and opens a session. Closes any earlier one. */
  open(options: OpenOptions, onEvent: OnEvent): Promise<SessionInfo>
  /** The user is typing: do input-independent work for a few tokens in the background. */
  prepare(): Promise<void>
  /** How much of the model's memory a message would take by itself, behind the system prompt. Sends nothing. */
  measure(message: Message, options: MeasureOptions): Promise<Measured>
  /**
   * Answers the conversation, streaming `token` events; reuses the KV cache of the same conversation's turns. Where the last
   * message is a reply that was broken off, it is gone on with, and the result has what was added.
   */
  chat(messages: Message[], options: ChatOptions): Promise<ChatResult>
  /**
   * Labels the texts in order, sending a `classified` event for each; the server sees each text's length bucket only.
   * After `stop` it resolves with the results so far. Where a text takes the model beyond the ranges that it was calibrated
   * for, it rejects with `out-of-range`, once all the others are read, too.
   */
  classify(inputs: ClassifyInput[]): Promise<Classification[]>
  /** As `classify`, but such a text is an answer of its own, with an `unanswered` event, among those of the others. */
  classifyEach(inputs: ClassifyInput[]): Promise<Answer[]>
  /**
   * A vector for each text, in order, by an encoder without a head; after `stop` it rejects with `cancelled`, and with
   * `out-of-range` as `classify` does.
   */
  embed(texts: string[]): Promise<Embedding[]>
  /** As `embed`, but a text that takes the model beyond its ranges is an answer of its own among those of the others. */
  embedEach(texts: string[]): Promise<(Embedding | Unanswered)[]>
  /** Cancels the current `chat` (which resolves with `finish: 'cancelled'`), `classify` or `embed` at every party. */
  stop(): Promise<void>
  close(): Promise<void>
}

/**
 * An error that a person can act on. Its codes are those of `SessionError`, `LinkError` and `ProtectionError`, and of the
 * engine itself: `busy`, `empty`, `wrong-task`, `context`, `cancelled`, `unknown-protection`, `backend`, `internal`.
 */
export class OwnerError extends Error {
  override readonly name = 'OwnerError'
  readonly code: string
  /** What the person can do about it, in one plain sentence. */
  readonly advice: string

  constructor(code: string, message: string, advice = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.advice = advice
  }

  /** A form that survives structured cloning, which drops the extra fields of errors. */
  toData(): OwnerErrorData {
    return { code: this.code, message: this.message, advice: this.advice }
  }

  /** Wraps anything thrown, keeping the code and advice of the errors of links and sessions. */
  static from(reason: unknown): OwnerError {
    if (reason instanceof OwnerError) return reason
    const { code, advice, message } = (reason ?? {}) as Partial<OwnerErrorData>
    if (typeof code === 'string' && typeof advice === 'string')
      return new OwnerError(code, message ?? code, advice, { cause: reason })
    return new OwnerError(
      'internal',
      message ?? String(reason),
      'Try again; if it keeps failing, reload the page.',
      {
        cause: reason,
      },
    )
  }
}

/** An `OwnerError` as plain data. */
export interface OwnerErrorData {
  code: string
  message: string
  advice: string
}

/** Whether a text has no answer. */
export const isUnanswered = (answer: Answer | Embedding): answer is Unanswered => 'error' in answer
