/** Sessions by model, of which a few are kept open. */
import type { OpenOptions, OwnerApi } from '../owner/api.ts'
import { Session } from './session.ts'

/** So many models at once: each takes memory here and a place at the server. */
export const OPEN_MODELS = 2

export class Sessions {
  /** The least recently used first. */
  readonly #sessions = new Map<string, Session>()
  readonly #makeOwner: () => OwnerApi
  readonly #options: Omit<OpenOptions, 'model'>

  constructor(makeOwner: () => OwnerApi, options: Omit<OpenOptions, 'model'>) {
    this.#makeOwner = makeOwner
    this.#options = options
  }

  /** The model's session, which is opened when it is used. */
  of(model: string): Session {
    const session = this.#sessions.get(model) ?? new Session(this.#makeOwner(), { ...this.#options, model })
    this.#sessions.delete(model)
    this.#sessions.set(model, session)
    if (this.#sessions.size > OPEN_MODELS) {
      const [oldest, idle] = this.#sessions.entries().next().value!
      this.#sessions.delete(oldest)
      void idle.end().catch(() => undefined)
    }
    return session
  }

  /** Ends them all, behind the requests that were made. */
  async close(): Promise<void> {
    const all = [...this.#sessions.values()]
    this.#sessions.clear()
    await Promise.all(all.map((session) => session.end()))
  }
}
