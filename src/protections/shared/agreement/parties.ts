/** What sessions need of the engine's three roles. */

import type { Link } from '../../../transport/link.ts'
import type { PassCost } from '../cost.ts'
import type { Auditor } from '../session/audit.ts'
import type { MaterialSource } from '../session/server-session.ts'
import type { Turn } from '../session/turn.ts'

/** Takes one chunk of a pass's material; resolves when there is room for the next. */
export type MaterialSink = (chunk: Uint8Array) => Promise<void>

/** What deals for the models of one server. */
export interface DealerEngine {
  /**
   * Called for each model of a server, again after every reconnect; `tensors` gives each private tensor's packed
   * b = W - F, in plan order. Resolves with the hash of the plan that the dealer itself makes of the header.
   */
  registerModel(modelHash: string, header: Uint8Array, tensors: AsyncIterable<Uint8Array>): Promise<string>
  open(modelHash: string, seed: Uint8Array): DealerPasses
  /** Split models: 32 bytes from which the owner derives its part of F. */
  splitSeed?(modelHash: string): Uint8Array | undefined
  /** The server has gone: frees its models. */
  close(): void
  /** Settles when it can deal no more, with why. */
  readonly failed?: Promise<Error>
}

/** One session at the dealer's engine. */
export interface DealerPasses {
  /** What a request would take. Throws `SessionError` `malformed` where it is none, or one that cannot be dealt. */
  costOf(request: Uint8Array): PassCost
  /**
   * Passes of a session are dealt one after another, in the order of their numbers. Without `turn` a pass has the thread
   * to itself.
   */
  deal(request: Uint8Array, sink: MaterialSink, turn?: Turn): Promise<void>
  close(): void
}

/** What a server registers of a model: the public manifest, and each private tensor's packed b. */
export interface RegistrationParts {
  header: Uint8Array
  tensors: AsyncIterable<Uint8Array>
  /** Of all tensors. */
  bytes: number
}

/** What a server says of a model that it serves. */
export interface PlannedModel {
  modelHash: string
  planHash: string
  profile: string
}

/** What runs the models of a server. */
export interface ServerEngine {
  models(): readonly PlannedModel[]
  /** Header and b tensors to register at the dealer. */
  registration(modelHash: string): RegistrationParts
  /** 32 bytes from which the owner derives F, the stationary mask of the private tensors; G where they are split. */
  fSeed(modelHash: string): Uint8Array
  /** Throws `SessionError` `busy`, with when to ask again, where too much is under way for one more owner at `peer`. */
  check?(peer: string): void
  /**
   * Runs a session of an owner at `peer` until the link closes (resolves) or an error (rejects). `sign` signs verdicts of
   * audits.
   */
  open(
    modelHash: string,
    link: Link,
    material: MaterialSource,
    peer: string,
    sign?: Auditor['sign'],
  ): Promise<void>
}
