/**
 * What audits of the dealer are made of. The owner tosses a coin in secret; where it falls so, it runs a pass on an empty
 * input first (a rehearsal), which nobody can tell from any other, and then shows the server the pass's key. With it the
 * server knows all that the pass was dealt from, deals it again, and compares.
 */
import { equalBytes } from '../../../handshake/encoding.ts'
import { RowCache } from '../cache.ts'
import type { OwnerKeys } from '../prg.ts'
import type { Shape } from '../shape.ts'
import type { PassKeys } from './deal-pass.ts'
import { KEY_BYTES } from './material-stream.ts'
import type { ModelPlans } from './model-plan.ts'
import { PassError } from './pass-messages.ts'
import type { Turn } from './turn.ts'

/** SHA-256 of what a pass's material is so far. */
export interface RunningHash {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** SHA-256 of what is dealt for a pass. */
export interface Digests {
  /** Of all but that. */
  readonly rest: Uint8Array
  /** Of what masks of cached keys and values go into. */
  readonly kept: Uint8Array
}

/** Runs what a pass of this shape takes to deal, when it is the session's turn. */
export type DealsInTurn = <T>(shape: Shape, work: (turn: Turn) => Promise<T>) => Promise<T>

/** What a server audits with. Without split weights alone: of those it must not have the dealer's piece. */
export interface Auditor {
  hash(): RunningHash
  /**
   * Of the stream that an honest dealer makes of these keys; `cache` has the masks of the passes before. Without the key of
   * kept masks, of the rest alone. Others have their `turn` between its pieces.
   */
  expected(shape: Shape, keys: PassKeys, cache: RowCache, turn: Turn): Promise<Digests>
  /** The server's signature of its verdict, 64 bytes. */
  sign(pass: number, isRight: boolean): Promise<Uint8Array>
}

/** How an owner audits. */
export interface Audits {
  /** Whether the pass that comes, from position 0, is rehearsed first. */
  isNext(): boolean
  /** Whether a pass of so many rows that goes on behind others is. */
  isBehind(rows: number): boolean
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
  readonly digests: Digests
}

/** A pass's material as it comes. */
export class HashedPass {
  readonly #rest: RunningHash
  readonly #kept: RunningHash
  /** Whether all that it depends on may be shown, for the passes before it are waiting as well. */
  readonly isWhole: boolean

  constructor(hash: () => RunningHash, isWhole: boolean) {
    this.#rest = hash()
    this.#kept = hash()
    this.isWhole = isWhole
  }

  update(bytes: Uint8Array, isKept: boolean): void {
    ;(isKept ? this.#kept : this.#rest).update(bytes)
  }

  digests(): Digests {
    return { rest: this.#rest.digest(), kept: this.#kept.digest() }
  }
}

/** Passes of one rehearsal at most: their digests wait at the server. */
export const MAX_REHEARSED = 64

/** An owner tosses a coin for audits, and it does not fall so every time: the server's time is not to be had for nothing. */
const SPARE_AUDITS = 128

/**
 * The server's memory of passes that may be audited. As a whole: the one that began at position 0 last, and those that went
 * on from there, for what is dealt for later ones depends on masks of earlier ones. They are audited in that order. But for
 * that: the one that ended last, whatever came before it.
 */
export class AuditTrail {
  readonly #plans: ModelPlans
  readonly #auditor: Auditor
  #waiting: Finished[] = []
  #last?: Finished
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

  /** A pass begins: what its material is to be hashed with. */
  begin({ base }: Shape): HashedPass {
    if (base === 0) {
      this.#waiting = []
      this.#cache = undefined
      this.#end = 0
    }
    this.#last = undefined
    const goesOn = base === this.#end && this.#waiting.length < MAX_REHEARSED
    // Whatever comes behind this pass depends on its masks, too.
    if (!goesOn) this.#end = Number.POSITIVE_INFINITY
    return new HashedPass(() => this.#auditor.hash(), goesOn)
  }

  /** All of the pass's material has come. */
  finish(pass: number, shape: Shape, key: Uint8Array, hash: HashedPass): void {
    this.#balance++
    this.#last = { pass, shape, key, digests: hash.digests() }
    if (!hash.isWhole) return
    this.#end = shape.base + shape.rows
    this.#waiting.push(this.#last)
  }

  /**
   * Deals a pass again with the owner's keys of it, or all of it but what goes with kept masks where their key is not shown,
   * and resolves with whether that is what was dealt. Throws `PassError` for one whose turn it is not, and where audits
   * outnumber passes.
   */
  async audit(pass: number, shown: Uint8Array, inTurn: DealsInTurn): Promise<boolean> {
    const owner = shownKeys(shown)
    const next = owner.kept ? this.#waiting.shift() : this.#last
    if (!owner.kept) this.#last = undefined
    if (next?.pass !== pass) throw new PassError('out-of-turn', `Pass ${pass} cannot be audited now.`)
    this.#balance -= 2
    if (this.#balance < 0) throw new PassError('out-of-turn', 'Too many passes are audited.')
    const cache = owner.kept ? this.#rehearsed() : new RowCache(this.#plans.config.context)
    const { shape, key: server } = next
    const { rest, kept } = await inTurn(shape, (turn) =>
      this.#auditor.expected(shape, { owner, server }, cache, turn),
    )
    return equalBytes(rest, next.digests.rest) && (!owner.kept || equalBytes(kept, next.digests.kept))
  }

  #rehearsed(): RowCache {
    this.#cache ??= new RowCache(this.#plans.config.context)
    return this.#cache
  }
}

/** What the owner shows of a pass: both its keys, or the one that says nothing of what is cached. */
export const shownBytes = ({ pass, kept }: Pick<OwnerKeys, 'pass'> & Partial<OwnerKeys>): Uint8Array =>
  kept ? Uint8Array.of(...pass, ...kept) : pass

const shownKeys = (shown: Uint8Array): PassKeys['owner'] =>
  shown.length > KEY_BYTES
    ? { pass: shown.slice(0, KEY_BYTES), kept: shown.slice(KEY_BYTES) }
    : { pass: shown }
