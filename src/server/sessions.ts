/** Owners' links at the model server: see which model they come for, then let its protection run the session. */
import type { Logger } from 'pino'
import { describe } from '../handshake/describe.ts'
import { utf8 } from '../handshake/encoding.ts'
import { SessionError, toSessionError } from '../handshake/errors.ts'
import { greetingHead } from '../handshake/greeting.ts'
import { limits, PROTOCOL_VERSION } from '../handshake/limits.ts'
import { parseJson } from '../handshake/parse-json.ts'
import { Refusals } from '../handshake/refusals.ts'
import { LinkError } from '../transport/errors.ts'
import type { Link } from '../transport/link.ts'
import { withTimeout } from '../transport/timeout.ts'
import { watchIdle } from './idle.ts'
import type { Servings } from './servings.ts'

/** How links end when nothing is wrong. */
const ORDINARY = new Set<string>(['closed', 'lost'])

/** A refusal needs a moment to leave, on a fetch link even another request. */
const REFUSAL_MS = 250

/** Messages of a reply come faster than this. */
const QUIET_MS = 2000

/** Whose models, and how long a link may be silent (milliseconds). */
export interface SessionsOptions {
  servings: Pick<Servings, 'of'>
  log: Logger
  idleMs?: number
}

/** The links that are open. */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #lines: Refusals
  readonly #open = new Set<Link>()
  /** Since when each link's next message is awaited; of those that are at work on one there is no entry. */
  readonly #awaiting = new Map<Link, number>()
  #isDraining = false

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#lines = new Refusals(options.log)
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** How many there are, those that still introduce themselves included. */
  get count(): number {
    return this.#open.size
  }

  /**
   * Takes no new sessions, and ends each once nothing has come for a while, which is between replies; all of them after
   * `ms`.
   */
  async drain(ms: number, quietMs = QUIET_MS): Promise<void> {
    this.#isDraining = true
    const end = performance.now() + ms
    while (this.#open.size > 0) {
      const now = performance.now()
      for (const link of this.#open)
        if (now >= end || now - (this.#awaiting.get(link) ?? now) >= quietMs) {
          this.#open.delete(link)
          void link.close('The model server is being replaced.', 'restarting')
        }
      if (this.#open.size > 0) await new Promise((resolve) => setTimeout(resolve, quietMs / 10))
    }
  }

  /** Serves one link to its end. Never rejects. */
  async serve(raw: Link, peer: string): Promise<void> {
    const { idleMs = limits.idleMs } = this.#options
    const link = this.#watch(watchIdle(raw, idleMs))
    this.#open.add(link)
    try {
      const run = await this.#greet(link, peer)
      this.#lines.say(link.kind, 'session started')
      await run()
      await link.close('The session is over.')
    } catch (error) {
      // A link that the owner closed is the ordinary end.
      const ordinary = error instanceof LinkError && ORDINARY.has(error.code)
      this.#lines.say(codeOf(error), 'session ended', { reason: describe(error) }, ordinary ? 'info' : 'warn')
      const { message, code } = error instanceof LinkError ? error : toSessionError(error)
      await link.close(message, error instanceof LinkError ? undefined : code)
    } finally {
      this.#open.delete(link)
      this.#awaiting.delete(link)
    }
  }

  /** A link as it is, of which it is known from when on it awaits the owner's next message. */
  #watch(link: Link): Link {
    const watched: Link = {
      ...link,
      receive: async () => {
        this.#awaiting.set(watched, performance.now())
        try {
          return await link.receive()
        } finally {
          this.#awaiting.delete(watched)
        }
      },
    }
    return watched
  }

  /** Hands the owner's introduction to the protection of the model that it names. Rejects with what it told the owner. */
  async #greet(link: Link, peer: string): Promise<() => Promise<void>> {
    try {
      const first = await withTimeout(link.receive(), limits.handshakeMs)
      const { protocolVersion, modelHash } = parseJson(greetingHead, first, 'The greeting')
      if (protocolVersion !== PROTOCOL_VERSION)
        throw new SessionError(
          'version-mismatch',
          `The page speaks version ${protocolVersion}, the server ${PROTOCOL_VERSION}.`,
        )
      if (this.#isDraining) throw new SessionError('restarting', 'The model server takes no new sessions.')
      const serving = this.#options.servings.of(modelHash)
      if (!serving) throw new SessionError('unknown-model', 'The server has no such model.')
      const run = await serving.greet(link, first, peer)
      link.greeted?.()
      return run
    } catch (error) {
      if (error instanceof LinkError) throw error
      const typed = toSessionError(error)
      const answer = { t: 'refused', code: typed.code, message: typed.message, retryAfter: typed.retryAfter }
      await link.send(utf8(JSON.stringify(answer)), true).catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, REFUSAL_MS))
      throw typed
    }
  }
}

/** One of our own codes; of anything else it is all the same. */
const codeOf = (error: unknown): string =>
  error instanceof LinkError || error instanceof SessionError ? error.code : 'internal'
