/** Who may open one more session, or ask for one more pass. */
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'

/** How much one address may have, and all together. */
export interface AdmissionLimits {
  /** At once, in all and for one address. */
  sessions: number
  sessionsPerPeer: number
  /** Of one address. */
  opensPerMinute: number
  passesPerHour: number
}

const HOUR_MS = 3_600_000

/** Counts sessions and passes by network address, and says when there are too many. */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #open = new Map<string, number>()
  readonly #recent = new Map<string, number[]>()
  /** Passes of each address in the hour that began at `since`. */
  readonly #passes = new Map<string, { since: number; count: number }>()
  #total = 0

  constructor(overrides: Partial<AdmissionLimits> = {}) {
    this.#limits = { ...limits, ...overrides }
  }

  /** Takes a place for `peer` (its network address); the result gives it back, once. Throws `SessionError`. */
  admit(peer: string, now = Date.now()): () => void {
    const own = this.#open.get(peer) ?? 0
    if (this.#total >= this.#limits.sessions)
      throw new SessionError('too-many-sessions', 'All sessions are taken.')
    if (own >= this.#limits.sessionsPerPeer) {
      throw new SessionError('too-many-sessions', 'Too many sessions are open from this address.')
    }
    this.#countOpen(peer, now)
    this.#total++
    this.#open.set(peer, own + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#total--
      const left = (this.#open.get(peer) ?? 1) - 1
      if (left > 0) this.#open.set(peer, left)
      else this.#open.delete(peer)
    }
  }

  /** Counts one pass of `peer`, over all its sessions. Throws `SessionError` where the hour has no more. */
  countPass(peer: string, now = Date.now()): void {
    if (this.#limits.passesPerHour === Number.POSITIVE_INFINITY) return
    const known = this.#passes.get(peer)
    const hour = known && now < known.since + HOUR_MS ? known : { since: now, count: 0 }
    if (hour.count >= this.#limits.passesPerHour)
      throw new SessionError('rate-limited', 'This address has used up the passes of this hour.')
    hour.count++
    this.#passes.set(peer, hour)
    if (this.#passes.size <= 4 * this.#limits.sessions) return
    for (const [other, { since }] of this.#passes) if (now >= since + HOUR_MS) this.#passes.delete(other)
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
