/**
 * What audits of the dealer are made of. The owner tosses a coin in secret; where it falls so, it runs a pass on an empty
 * input first (a rehearsal), which nobody can tell from any other, and then shows the server the pass's key. With it the
 * server knows all that the pass was dealt from, deals it again, and compares.
 */
import { equalBytes } from '../../../handshake/encoding.ts'
import { RowCache } from '../cache.ts'
import type { Shape } from '../shape.ts'
import type { PassKeys } from './deal-pass.ts'
import type { ModelPlans } from './model-plan.ts'
import { PassError } from './pass-messages.ts'

/** SHA-256 of what a pass's material is so far. */
export interface RunningHash {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** What a server audits with. Without split weights alone: of those it must not have the dealer's piece. */
export interface Auditor {
  hash(): RunningHash
  /** SHA-256 of the stream that an honest dealer makes of these keys; `cache` has the masks of the passes before. */
  expected(shape: Shape, keys: PassKeys, cache: RowCache): Promise<Uint8Array>
  /** The server's signature of its verdict, 64 bytes. */
  sign(pass: number, isRight: boolean): Promise<Uint8Array>
}

/** How an owner audits. */
export interface Audits {
  /** Whether the pass that comes is rehearsed first. */
  isNext(): boolean
  /** Whether a rehearsal goes on with a pass of one row more. */
  goesOn(): boolean
  /** Takes the time that reading what a pass releases takes, so that the next request comes as late. */
  asIfRead?(released: Float64Array): void
  /** Whether the server has signed this verdict. */
  isSigned(pass: number, isRight: boolean, signature: Uint8Array): Promise<boolean>
  /** Whom a failed audit names. */
  readonly dealer: string
}

interface Finished {
  readonly pass: number
  readonly shape: Shape
  /** Of the server's masks. */
  readonly key: Uint8Array
  readonly digest: Uint8Array
}

/** Passes of one rehearsal at most: their digests wait at the server. */
export const MAX_REHEARSED = 64

/** An owner tosses a coin for audits, and it does not fall so every time: the server's time is not to be had for nothing. */
const SPARE_AUDITS = 128

/**
 * The server's memory of passes that may be audited: the one that began at position 0 last, and those that went on from
 * there, for the material of later ones depends on the masks of earlier ones. They are audited in that order.
 */
export class AuditTrail {
  readonly #plans: ModelPlans
  readonly #auditor: Auditor
  #waiting: Finished[] = []
  /** Where the next pass has to begin in order to go on. */
  #end = 0
  /** Masks of keys and values of the passes that were audited. */
  #cache?: RowCache
  /** Passes that were run, less those that were audited. */
  #balance = SPARE_AUDITS

  constructor(plans: ModelPlans, auditor: Auditor) {
    this.#plans = plans
    this.#auditor = auditor
  }

  /** A pass begins: what its material is to be hashed with, where it may be audited. */
  begin({ base }: Shape): RunningHash | undefined {
    if (base === 0) {
      this.#waiting = []
      this.#cache = undefined
      this.#end = 0
    }
    const goesOn = base === this.#end && this.#waiting.length < MAX_REHEARSED
    // Whatever comes behind this pass depends on its masks, too.
    if (!goesOn) this.#end = Number.POSITIVE_INFINITY
    return goesOn ? this.#auditor.hash() : undefined
  }

  /** All of the pass's material has come. */
  finish(pass: number, shape: Shape, key: Uint8Array, hash: RunningHash): void {
    this.#end = shape.base + shape.rows
    this.#balance++
    this.#waiting.push({ pass, shape, key, digest: hash.digest() })
  }

  /**
   * Deals a pass again with the owner's key of it, and resolves with whether that is what was dealt. Throws `PassError` for
   * one whose turn it is not, and where audits outnumber passes.
   */
  async audit(pass: number, owner: Uint8Array): Promise<boolean> {
    const next = this.#waiting.shift()
    if (next?.pass !== pass) throw new PassError('out-of-turn', `Pass ${pass} cannot be audited now.`)
    this.#balance -= 2
    if (this.#balance < 0) throw new PassError('out-of-turn', 'Too many passes are audited.')
    this.#cache ??= new RowCache(this.#plans.config.context)
    const keys = { owner, server: next.key }
    const expected = await this.#auditor.expected(next.shape, keys, this.#cache)
    return equalBytes(expected, next.digest)
  }
}
