/** One owner's session at the dealer: checks pass requests and deals them in order, never faster than they are used. */

import type { Mac } from '../../../handshake/crypto.ts'
import { equalBytes, utf8 } from '../../../handshake/encoding.ts'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import type { DealerPasses } from '../agreement/parties.ts'
import { openPass } from '../agreement/pass-request.ts'
import type { PassCost } from '../cost.ts'
import type { ServerConnection, SessionEvents } from './server-connection.ts'

export interface DealerSessionParts {
  id: string
  mac: Mac
  passes: DealerPasses
  connection: ServerConnection
  passesAhead?: number
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
export class DealerSession implements SessionEvents {
  lastSeen = Date.now()
  readonly #parts: DealerSessionParts
  #lastPass = 0
  #lastTag: Uint8Array = new Uint8Array(0)
  /** Asked for, and not yet used up or discarded by the server. */
  readonly #ahead = new Set<number>()
  #queue: Promise<void> = Promise.resolve()
  #room = limits.materialAheadBytes
  #wake: (() => void) | undefined
  #over: SessionError | undefined

  constructor(parts: DealerSessionParts) {
    this.#parts = parts
  }

  /** One pass request as it came. Resolves once it is accepted. Rejects with `SessionError`. */
  async request(bytes: Uint8Array): Promise<void> {
    if (this.#over) throw this.#over
    const { pass, body, tag } = await openPass(this.#parts.mac, this.#parts.id, bytes)
    this.lastSeen = Date.now()
    // The owner resends a request whose answer was lost; dealing it once more would change nothing, so it isn't.
    if (pass === this.#lastPass && pass > 0 && equalBytes(tag, this.#lastTag)) return
    if (pass <= this.#lastPass) throw new SessionError('replayed', `Pass ${pass} was asked for already.`)
    if (this.#ahead.size >= (this.#parts.passesAhead ?? limits.passesAhead)) {
      throw new SessionError('rate-limited', 'Too many passes are dealt ahead.')
    }
    this.#parts.countPass(this.#parts.passes.costOf(body))
    this.#lastPass = pass
    this.#lastTag = tag
    this.#ahead.add(pass)
    this.#queue = this.#queue.then(() => this.#deal(pass, body))
  }

  /** The owner's farewell, authenticated like a pass request. */
  async farewell(bytes: Uint8Array): Promise<void> {
    const { pass, body } = await openPass(this.#parts.mac, this.#parts.id, bytes)
    if (pass !== 0 || !equalBytes(body, utf8('close'))) throw new SessionError('malformed', 'Not a farewell.')
    this.end(new SessionError('expired', 'The owner has closed the session.'))
  }

  /** The owner has come to the server: the session takes its place, or ends where there is none. */
  claimed(): void {
    try {
      this.#parts.onClaim()
    } catch (error) {
      const typed = toSessionError(error)
      this.end(typed, typed)
    }
  }

  /** The server has room for so many bytes more. */
  credit(bytes: number): void {
    this.#room += bytes
    this.lastSeen = Date.now()
    this.#wake?.()
  }

  /** The server is done with a pass. */
  used(pass: number): void {
    this.#ahead.delete(pass)
    this.lastSeen = Date.now()
    this.#wake?.()
  }

  /** The server has ended the session. */
  ended(): void {
    this.end(new SessionError('expired', 'The model server has ended the session.'))
  }

  /** Forgets everything; pending material is not sent any more. */
  end(reason: SessionError, tellServer?: SessionError): void {
    if (this.#over) return
    this.#over = reason
    this.#wake?.()
    void this.#parts.connection.endSession(this.#parts.id, tellServer)
    this.#parts.passes.close()
    this.#parts.onEnd(reason)
  }

  async #deal(pass: number, body: Uint8Array): Promise<void> {
    if (this.#over) return
    const { id, connection, passes } = this.#parts
    let discarded = false
    try {
      await passes.deal(body, async (chunk) => {
        if (chunk.length > limits.chunkBytes)
          throw new SessionError('oversized', 'A chunk of material is too large.')
        await this.#roomFor(pass)
        if (this.#over) throw this.#over
        // Nobody will read the rest of a discarded pass, and the next one starts no later than its first row: it deals
        // new masks for every position that this one has touched.
        discarded = !this.#ahead.has(pass)
        if (discarded) throw new SessionError('expired', `Pass ${pass} was abandoned.`)
        this.#room -= chunk.length
        await connection.chunk(id, pass, chunk)
      })
      if (!this.#over) await connection.endPass(id, pass)
    } catch (error) {
      if (this.#over || discarded) return
      this.#parts.onFault(error)
      const typed = toSessionError(error)
      this.end(typed, typed)
    }
  }

  async #roomFor(pass: number): Promise<void> {
    while (this.#room <= 0 && !this.#over && this.#ahead.has(pass)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
