/** What waits to be dealt, in all and for each address, and how long that takes. */
import { SessionError } from '../../../handshake/errors.ts'

export interface BacklogLimits {
  /** Deals that may wait, in all and for one address. */
  queuedDeals: number
  queuedDealsPerPeer: number
  /** Time within which what waits should have been dealt; there is always room for one deal of each address. */
  queueMs: number
}

const DEFAULTS: BacklogLimits = { queuedDeals: 1024, queuedDealsPerPeer: 256, queueMs: 30_000 }

/** Bytes dealt in a second before anything was measured, and what of earlier deals still counts after one more. */
const FIRST_RATE = 64e6
const REMEMBERED = 0.9

interface Queued {
  readonly peer: string
  readonly cost: number
}

export class Backlog {
  readonly #limits: BacklogLimits
  readonly #peers = new Map<string, number>()
  #cost = 0
  #dealt = FIRST_RATE
  #spentMs = 1000
  count = 0

  constructor(limits: Partial<BacklogLimits>) {
    this.#limits = { ...DEFAULTS, ...limits }
  }

  /** Throws `SessionError` `busy`, with when to ask again, where too much waits already. */
  check(peer: string): void {
    const own = this.#peers.get(peer) ?? 0
    const { queuedDeals, queuedDealsPerPeer, queueMs } = this.#limits
    const waitMs = (this.#cost / this.#dealt) * this.#spentMs
    if (this.count >= queuedDeals || own >= queuedDealsPerPeer || (own > 0 && waitMs >= queueMs)) {
      const seconds = Math.min(60, Math.max(1, Math.ceil(waitMs / 1000)))
      throw new SessionError('busy', `Many others wait. Ask again in ${seconds} s.`, {
        retryAfter: seconds,
      })
    }
  }

  add({ peer, cost }: Queued): void {
    this.#peers.set(peer, (this.#peers.get(peer) ?? 0) + 1)
    this.#cost += cost
    this.count++
  }

  remove({ peer, cost }: Queued): void {
    const left = (this.#peers.get(peer) ?? 1) - 1
    if (left > 0) this.#peers.set(peer, left)
    else this.#peers.delete(peer)
    this.#cost -= cost
    this.count--
  }

  /** A job of so many bytes is done, and since the last one something was under way for so long. */
  dealt(bytes: number, ms: number): void {
    this.#dealt = REMEMBERED * this.#dealt + bytes
    this.#spentMs = REMEMBERED * this.#spentMs + ms
  }
}
