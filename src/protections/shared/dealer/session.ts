/** One owner's session at the dealer: checks pass requests and deals them in order, never faster than they are used. */

import type { Mac } from '../../../handshake/crypto.ts'
import { equalBytes, utf8 } from '../../../handshake/encoding.ts'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import type { DealerPasses } from '../agreement/parties.ts'
import { openPass } from '../agreement/pass-request.ts'
import type { PassCost } from '../cost.ts'
import type { Scheduler } from '../scheduling/scheduler.ts'
import type { Job, Turn } from '../session/turn.ts'
import type { Account } from './material-pool.ts'
import type { ServerConnection, SessionEvents } from './server-connection.ts'

export interface DealerSessionParts {
  id: string
  /** The owner's address. */
  peer: string
  mac: Mac
  /** Where the owner may come to: processes that have the server's key. */
  connections: readonly ServerConnection[]
  /** The engine's part, with the models of that process. */
  openPasses(connection: ServerConnection): DealerPasses
  scheduler: Scheduler
  /** What is sent and not yet used. */
  account: Account
  passesAhead?: number
  /** Deal a pass only once the server has seen its owner begin it. */
  awaitsBegin: boolean
  /** Counts a pass towards what the owner may have; throws `SessionError` beyond it. */
  countPass(cost: PassCost): void
  /** The owner has come to the server; throws `SessionError` where there is no place for the session. */
  onClaim(): void
  /** Called once, when the session is over. */
  onEnd(reason: SessionError): void
  /** The engine rejected; for the log. */
  onFault(error: unknown): void
}

/** One session: passes are dealt in order, as far ahead as the server has room. */
export class DealerSession {
  lastSeen = performance.now()
  readonly #parts: DealerSessionParts
  /** Processes that know of the session; once it is claimed, one. */
  readonly #candidates: Set<ServerConnection>
  #connection: ServerConnection | undefined
  #passes: DealerPasses
  /** Asked for before the owner has come to a server, or has begun them there. */
  readonly #waiting = new Map<number, Job>()
  #lastBegun = 0
  #lastPass = 0
  #lastTag: Uint8Array = new Uint8Array(0)
  /** Asked for, and not yet used up or discarded by the server. */
  readonly #ahead = new Set<number>()
  #over: SessionError | undefined

  constructor(parts: DealerSessionParts) {
    this.#parts = parts
    this.#candidates = new Set(parts.connections)
    this.#passes = parts.openPasses(parts.connections[0])
  }

  /** Nothing is asked for, and nothing was for so long: the owner is between two replies. */
  isQuiet(ms: number): boolean {
    return this.#ahead.size === 0 && performance.now() - this.lastSeen >= ms
  }

  /** One pass request as it came. Resolves once it is accepted. Rejects with `SessionError`. */
  async request(bytes: Uint8Array): Promise<void> {
    if (this.#over) throw this.#over
    const { pass, body, tag } = await openPass(this.#parts.mac, this.#parts.id, bytes)
    this.lastSeen = performance.now()
    // The owner resends a request whose answer was lost; dealing it once more would change nothing, so it isn't.
    if (pass === this.#lastPass && pass > 0 && equalBytes(tag, this.#lastTag)) return
    if (pass <= this.#lastPass) throw new SessionError('replayed', `Pass ${pass} was asked for already.`)
    if (this.#ahead.size >= (this.#parts.passesAhead ?? limits.passesAhead)) {
      throw new SessionError('rate-limited', 'Too many passes are dealt ahead.')
    }
    const { id, peer, scheduler } = this.#parts
    const cost = this.#passes.costOf(body)
    scheduler.check(peer)
    this.#parts.countPass(cost)
    this.#lastPass = pass
    this.#lastTag = tag
    this.#ahead.add(pass)
    const deal: Job = {
      ...{ peer, session: id, cost: cost.bytes, rows: cost.rowsIn },
      run: (turn) => this.#deal(pass, body, turn),
    }
    // Which process it is dealt to turns out when the owner comes to one; who never comes costs nothing.
    this.#waiting.set(pass, deal)
    this.#grant()
  }

  /** Deals what waits for nothing more. Where passes wait for their owner to begin them, those before the last never will. */
  #grant(): void {
    if (!this.#connection) return
    const { awaitsBegin, scheduler } = this.#parts
    for (const [pass, deal] of this.#waiting) {
      if (awaitsBegin && pass > this.#lastBegun) return
      this.#waiting.delete(pass)
      if (awaitsBegin && pass < this.#lastBegun) this.#ahead.delete(pass)
      else scheduler.submit(deal)
    }
  }

  /** The owner's farewell, authenticated like a pass request. */
  async farewell(bytes: Uint8Array): Promise<void> {
    const { pass, body } = await openPass(this.#parts.mac, this.#parts.id, bytes)
    if (pass !== 0 || !equalBytes(body, utf8('close'))) throw new SessionError('malformed', 'Not a farewell.')
    this.end(new SessionError('expired', 'The owner has closed the session.'))
  }

  /** What the server's process at `connection` says of the session. */
  at(connection: ServerConnection): SessionEvents {
    const isOurs = () => this.#connection === connection
    return {
      claimed: () => this.#claimedAt(connection),
      credit: (bytes) => {
        if (isOurs()) this.#used(bytes)
      },
      begun: (pass) => {
        if (!isOurs()) return
        this.#lastBegun = Math.max(this.#lastBegun, pass)
        this.#grant()
      },
      used: (pass) => {
        if (!isOurs()) return
        this.#ahead.delete(pass)
        this.#waiting.delete(pass)
        this.#used(0)
      },
      ended: (reason) => {
        this.#candidates.delete(connection)
        if (isOurs() || this.#candidates.size === 0) this.end(reason)
      },
    }
  }

  /** The owner has come to this process: it is dealt to, and the others forget the session. */
  #claimedAt(connection: ServerConnection): void {
    if (this.#over || this.#connection || !this.#candidates.has(connection)) return
    const { id, connections, openPasses, onClaim } = this.#parts
    try {
      onClaim()
      for (const other of this.#candidates) if (other !== connection) void other.endSession(id)
      if (connection !== connections[0]) {
        this.#passes.close()
        this.#passes = openPasses(connection)
      }
      this.#candidates.clear()
      this.#candidates.add(connection)
      this.#connection = connection
      this.#grant()
    } catch (error) {
      const typed = toSessionError(error)
      this.end(typed, typed)
    }
  }

  #used(bytes: number): void {
    this.#parts.account.used(bytes)
    this.lastSeen = performance.now()
  }

  /** Forgets everything; pending material is not sent any more. */
  end(reason: SessionError, tellServer?: SessionError): void {
    if (this.#over) return
    this.#over = reason
    this.#parts.scheduler.drop(this.#parts.id)
    this.#parts.account.close()
    for (const connection of this.#candidates) void connection.endSession(this.#parts.id, tellServer)
    this.#passes.close()
    this.#parts.onEnd(reason)
  }

  async #deal(pass: number, body: Uint8Array, turn: Turn): Promise<void> {
    if (this.#over) return
    const { id, account } = this.#parts
    const [connection, passes] = [this.#connection, this.#passes]
    if (!connection) return
    const isOver = () => this.#over !== undefined || !this.#ahead.has(pass)
    let discarded = false
    try {
      const send = async (chunk: Uint8Array): Promise<void> => {
        if (chunk.length > limits.chunkBytes)
          throw new SessionError('oversized', 'A chunk of material is too large.')
        if (!account.hasRoom) await turn.waiting(account.room(isOver))
        if (this.#over) throw this.#over
        // Nobody will read the rest of a discarded pass, and the next one starts no later than its first row: it deals
        // new masks for every position that this one has touched.
        discarded = !this.#ahead.has(pass)
        if (discarded) throw new SessionError('expired', `Pass ${pass} was abandoned.`)
        account.sent(chunk.length)
        await turn.waiting(connection.chunk(id, pass, chunk))
      }
      await passes.deal(body, send, turn)
      if (!this.#over) await turn.waiting(connection.endPass(id, pass))
    } catch (error) {
      if (this.#over || discarded) return
      this.#parts.onFault(error)
      const typed = toSessionError(error)
      this.end(typed, typed)
    }
  }
}
