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
    // Names of no model, and sessions that were lost.
    for (const [name, session] of this.#sessions)
      if (name !== model && !session.isOpen && session.isIdle) this.#end(name, session)
    const session = this.#sessions.get(model) ?? this.#make(model)
    this.#sessions.delete(model)
    this.#sessions.set(model, session)
    return session
  }

  /** Ends them all, behind the requests that were made. */
  async close(): Promise<void> {
    const all = [...this.#sessions.values()]
    this.#sessions.clear()
    await Promise.all(all.map((session) => session.end()))
  }

  /** Only one that has been opened takes another one's place: a wrong name ends nobody's session. */
  #make(model: string): Session {
    return new Session(this.#makeOwner(), { ...this.#options, model }, () => {
      const open = [...this.#sessions].filter(([, session]) => session.isOpen)
      for (const [name, session] of open.slice(0, Math.max(0, open.length - OPEN_MODELS)))
        this.#end(name, session)
    })
  }

  /** Behind the requests that were made. */
  #end(model: string, session: Session): void {
    this.#sessions.delete(model)
    void session.end().catch(() => undefined)
  }
}
