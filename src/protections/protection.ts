/**
 * The door of a protection, on the data owner's side: what the page, the terminal and a library are written against. A
 * protection is a folder below this one and one line in `registry.ts`; where the model's server takes part, another line
 * in `server-registry.ts`. Browser-safe, as everything that an entry of `registry.ts` imports must be.
 */
import type { ServedListing } from '../handshake/listing.ts'
import type { BackendKind } from '../kernels/choose.ts'
import type { Kernels, ProductDevice } from '../kernels/kernels.ts'
import type { PublicModel } from '../model/files/bundle.ts'
import type { TextInput } from '../model/graph/interpret.ts'
import type { Floats } from '../model/math.ts'
import type { RgbaPicture } from '../model/pictures/prepare.ts'
import type { ModelTexts } from '../model/texts.ts'
import type { ConnectOptions, LinkChoice } from '../transport/connect.ts'
import type { Traffic } from '../transport/link.ts'
import type { AuditCounts } from './audit-counts.ts'
import type { Notice } from './notice.ts'
import type { PartyAddress } from './party-address.ts'
import type { PictureView } from './picture-view.ts'

/** What a user picks: how the words are kept from the model's server, and at what price. */
export interface Protection {
  /** Names it in listings, in `--protection` and in a page's configuration. */
  readonly id: string
  /** What it promises and what it does not, for people. */
  readonly notice: Notice
  /** What it promises for models that read pictures, and perhaps questions on them, where they have words of their own. */
  noticeOfPictures?(withQuestions: boolean): Promise<Notice>
  /** Whether a model server takes part; where it does not, the whole model must be at hand. */
  readonly needsServer: boolean
  /** Whether a third party that is neither owner nor server takes part. */
  readonly needsDealer: boolean
  /** Where that third party is and who runs it, as the page's configuration has it; nothing where it doesn't say. */
  dealer?(settings: unknown, base?: string): PartyAddress | undefined
  /** The settings with a key that a person has given: a file's text. Rejects with {@link ProtectionError} for what is none. */
  withKey?(settings: unknown, file: string): Promise<unknown>
  /**
   * Gets ready to run a model. Rejects with an error that has a `code`, a `message` for people and an `advice`, having
   * closed what it opened.
   */
  connect(request: ConnectRequest): Promise<Connection>
}

/** What a protection takes from where it runs: a browser's worker, or Node. */
export interface Surroundings {
  readonly kernels: Kernels
  /** Where products of matrices are computed; `onLoss` hears why, should the device be lost and replaced later. */
  device(
    force?: BackendKind,
    onLoss?: (reason: string) => void,
  ): Promise<{ device: ProductDevice; reason: string }>
  /** Transports beyond what every place has. */
  readonly connect: Pick<ConnectOptions, 'webSocket' | 'webRtc' | 'fetch'>
}

/** Which model to get ready, where, and by what means. */
export interface ConnectRequest {
  /** Address of the model server, and its identity key (base64url); empty where the model is at hand. */
  readonly server: string
  readonly serverKey: string
  readonly listing: ServedListing
  /**
   * Gets the model, checked against the listing's hash: of one that a server lists, what it gives to everybody. Rejects
   * with `BundleError`. Protections whose owners have what they need otherwise leave it alone.
   */
  download(): Promise<PublicModel>
  /** What the page's configuration, or the command line, says for this protection; nobody else reads it. */
  readonly settings: unknown
  /** Where addresses in `settings` are relative to, if they may be. */
  readonly base?: string
  readonly surroundings: Surroundings
  readonly link?: LinkChoice
  readonly backend?: BackendKind
  /** Tells a person how far it is, and what they should know. */
  onEvent(event: ConnectEvent): void
}

/** How far connecting is, and what a person should know of it. */
export type ConnectEvent =
  | { type: 'progress'; done: number; total: number; text: string }
  | { type: 'notice'; text: string }

/** A choice that was made, and why, in words for people. */
export interface ExplainedChoice {
  readonly name: string
  readonly reason: string
}

/** Whether hardware vouches for what the server runs, and why, in words for people. */
export interface EnclaveFacts {
  readonly isAttested: boolean
  readonly reason: string
}

/** A model ready to run. Passes run one after another. */
export interface Connection {
  readonly sessionId: string
  readonly link: ExplainedChoice
  readonly backend: ExplainedChoice
  /** Where the server computes on what it can read: whether an enclave that it cannot look into does. */
  readonly enclave?: EnclaveFacts
  /** What makes ids of texts, and texts of ids. */
  readonly texts: ModelTexts
  /** Address of the dealer, where there is one. */
  readonly dealer?: string
  /** Tokens of one pass at most: a decoder reads a longer prompt in several, an encoder cuts a longer text. */
  readonly maxTokens: number
  /**
   * Runs one pass: a decoder's over the tokens after `base` cached ones, an encoder's (`base` 0) over a whole text.
   * Resolves with logits: of the next token [vocab], of a classifier's labels [labels], or of a masked language model
   * [tokens x vocab]; of an encoder without a head, its last hidden states [tokens x dim].
   *
   * Rejects with `Cancelled` once `signal` is aborted: the connection goes on. After any other error it is of no use.
   */
  run(base: number, input: TextInput, options?: RunOptions): Promise<Floats>
  /** Of models that read pictures, in place of `run`: labels' logits of one. Rejects as `run` does. */
  look?(picture: RgbaPicture, options?: RunOptions): Promise<Looked>
  /**
   * Of models that read texts on pictures: takes the one that texts are on from here on, in place of any before. Rejects as
   * `run` does.
   */
  show?(picture: RgbaPicture, options?: RunOptions): Promise<Shown>
  /** Of tokens, those that the model's server has been shown to read; of protections that hide none, where it was measured. */
  readable?(ids: readonly number[]): boolean[]
  /** Does work that needs no input ahead, as much as is worth it; `onProgress` is called between steps of it. */
  prepare(onProgress?: () => void): Promise<void>
  /** Calls back once when the connection is lost, or closed by the other side; those without a lasting link need not. */
  onEnd?(listener: (error: Error) => void): void
  /** Gives up what was prepared for a pass that will not come. */
  abandon(): Promise<void>
  /** Ends the session at every party. Rejects with nothing. */
  close(): Promise<void>
  counts(): Counts
}

/** What comes of a picture. */
export interface Looked {
  readonly logits: Floats
  readonly view: PictureView
}

/** A picture that texts are on. */
export interface Shown {
  readonly view: PictureView
  /** The token that stands for it in a text, and how often it has to come there. */
  readonly token: number
  readonly places: number
}

/** What else a pass may be told. */
export interface RunOptions {
  /** Tokens of the pass that follows, which may be prepared while this one runs. */
  readonly next?: number
  readonly signal?: AbortSignal
}

/** A model cannot be run under this protection here, or not on this text; `advice` says what a person can do. */
export class ProtectionError extends Error {
  override readonly name = 'ProtectionError'
  readonly code: 'page-config' | 'whole-model-needed' | 'key-needed' | 'not-attested' | 'out-of-range'
  readonly advice: string

  constructor(code: ProtectionError['code'], message: string, advice: string) {
    super(message)
    this.code = code
    this.advice = advice
  }
}

/** The pass is done, and what came out of it is noise: the session goes on. */
export const isNoise = (error: unknown): error is ProtectionError =>
  error instanceof ProtectionError && error.code === 'out-of-range'

/** The pass was given up, as its caller wished. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** What a connection has used and sent so far. */
export interface Counts {
  /** Tokens read or made; an encoder's with the padding. */
  readonly tokens: number
  /** Tokens whose input-independent work is done already. */
  readonly tokensReady: number
  /** Sequential one-way messages. */
  readonly hops: number
  /** Products with private weights that each token takes. */
  readonly privateProducts: number
  /** Compute dispatches on a GPU. */
  readonly dispatches: number
  /** The owner's traffic with the model server. */
  readonly server: Readonly<Traffic>
  /** The last message as the server saw it. */
  readonly serverSample: Uint8Array
  /** Where a third party takes part. */
  readonly dealer?: DealerCounts
  /** Where its work is audited. */
  readonly audits?: AuditCounts
}

/** What the third party of a connection has received and sent so far. */
export interface DealerCounts {
  /** The owner's. */
  readonly traffic: Readonly<Traffic>
  /** Bytes that it has sent to the model server. */
  readonly toServerBytes: number
  /** The owner's last message as it saw it. */
  readonly sample: Uint8Array
}
