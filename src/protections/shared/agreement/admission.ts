/** Who may open one more session, or have one more pass dealt. */
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import { largestGroup } from '../../../transport/link-table.ts'
import type { PassCost } from '../cost.ts'

/** How much one address may have, and all together. */
export interface AdmissionLimits {
  /** Claimed sessions, in all. */
  sessions: number
  /** Sessions of one address, claimed or not. */
  sessionsPerPeer: number
  /** Sessions that nobody has claimed at the server yet, in all. */
  unclaimedSessions: number
  opensPerMinute: number
  /** Of one address: rows that are released to it, and bytes that are dealt for it. */
  rowsPerHour: number
  dealtBytesPerHour: number
}

const HOUR_MS = 3_600_000

type Took = Pick<PassCost, 'rows' | 'bytes'>

interface Waiting {
  readonly peer: string
  readonly evict: () => void
}

/** A session's place. */
export interface Place {
  /** The server has seen the owner: the session takes a place in the house. Throws `SessionError` where there is none. */
  claim(): void
  /** Gives the place back; may be called again. */
  release(): void
}

/** Counts sessions and passes by network address, and says when there are too many. */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #open = new Map<string, number>()
  readonly #recent = new Map<string, number[]>()
  /** What each address had in the hour that began at `since`. */
  readonly #had = new Map<string, Took & { since: number }>()
  readonly #waiting = new Set<Waiting>()
  #claimed = 0

  constructor(overrides: Partial<AdmissionLimits> = {}) {
    this.#limits = { ...limits, ...overrides }
  }

  /**
   * Lets `peer` (a network address) open a session. Before somebody claims it, it is one of a few, of which a newcomer
   * evicts the oldest of the address that has most. Throws `SessionError`.
   */
  open(peer: string, evict: () => void, now = performance.now()): Place {
    const own = this.#open.get(peer) ?? 0
    if (this.#isFull) throw allTaken()
    if (own >= this.#limits.sessionsPerPeer) {
      throw new SessionError('too-many-sessions', 'Too many sessions are open from this address.')
    }
    this.#countOpen(peer, now)
    this.#makeRoom()
    const waiting = { peer, evict }
    this.#waiting.add(waiting)
    this.#open.set(peer, own + 1)
    let state: 'waiting' | 'claimed' | 'over' = 'waiting'
    return {
      claim: () => {
        if (state !== 'waiting') return
        if (this.#isFull) throw allTaken()
        this.#waiting.delete(waiting)
        this.#claimed++
        state = 'claimed'
      },
      release: () => {
        if (state === 'over') return
        if (state === 'claimed') this.#claimed--
        this.#waiting.delete(waiting)
        state = 'over'
        const left = (this.#open.get(peer) ?? 1) - 1
        if (left > 0) this.#open.set(peer, left)
        else this.#open.delete(peer)
      },
    }
  }

  /** Whether an address may have so much of passes an hour, and no more. */
  get isMetered(): boolean {
    const { rowsPerHour, dealtBytesPerHour } = this.#limits
    return rowsPerHour < Number.POSITIVE_INFINITY || dealtBytesPerHour < Number.POSITIVE_INFINITY
  }

  /** Counts one pass of `peer`, over all its sessions. Throws `SessionError` where the hour has not so much left. */
  countPass(peer: string, { rows, bytes }: Took, now = performance.now()): void {
    if (!this.isMetered) return
    const { rowsPerHour, dealtBytesPerHour } = this.#limits
    const known = this.#had.get(peer)
    const had = known && now < known.since + HOUR_MS ? known : { since: now, rows: 0, bytes: 0 }
    if (had.rows + rows > rowsPerHour)
      throw new SessionError('rate-limited', 'This address has used up the rows of this hour.')
    if (had.bytes + bytes > dealtBytesPerHour)
      throw new SessionError('rate-limited', 'This address has used up what is dealt within this hour.')
    this.#had.set(peer, { since: had.since, rows: had.rows + rows, bytes: had.bytes + bytes })
    if (this.#had.size <= 4 * this.#limits.sessions) return
    for (const [other, { since }] of this.#had) if (now >= since + HOUR_MS) this.#had.delete(other)
  }

  get #isFull(): boolean {
    return this.#claimed >= this.#limits.sessions
  }

  #makeRoom(): void {
    if (this.#waiting.size < this.#limits.unclaimedSessions) return
    const [oldest] = largestGroup([...this.#waiting])
    this.#waiting.delete(oldest)
    oldest.evict()
  }

  #countOpen(peer: string, now: number): void {
    const times = (this.#recent.get(peer) ?? []).filter((time) => time > now - 60_000)
    if (times.length >= this.#limits.opensPerMinute) {
      throw new SessionError(
        'rate-limited',
        'Too many sessions were opened from this address within a minute.',
      )
    }
    times.push(now)
    this.#recent.set(peer, times)
    if (this.#recent.size > 4 * this.#limits.sessions) this.#forget(now)
  }

  #forget(now: number): void {
    for (const [peer, times] of this.#recent) if (times.at(-1)! <= now - 60_000) this.#recent.delete(peer)
  }
}

const allTaken = (): SessionError => new SessionError('too-many-sessions', 'All sessions are taken.')
