/** Finds out that a session is gone while nobody asks anything of it, and when it can be had again. */
import type { Away } from './reachability.ts'
import { whoIsAway } from './reachability.ts'

/** How soon it is asked again, growing; and how often while all is well and somebody looks. */
const AGAIN_MS = [1000, 2000, 4000, 8000, 15_000]
const LOOK_MS = 30_000
/** Who begins to type wants to know; at most so often. */
const TYPING_MS = 10_000

export class Healing {
  readonly #onAway: (away: Away | undefined) => void
  #timer?: ReturnType<typeof setTimeout>
  #tries = 0
  #askedAt = 0

  /** @param onAway hears who is away whenever that was asked; nothing: everybody is there */
  constructor(onAway: (away: Away | undefined) => void) {
    this.#onAway = onAway
    if (typeof document === 'undefined') return
    addEventListener('offline', () => void this.ask())
    addEventListener('online', () => void this.ask())
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.ask()
    })
    setInterval(() => {
      if (document.visibilityState === 'visible') void this.ask()
    }, LOOK_MS)
  }

  /** Asks now, and again until everybody is there. */
  async ask(): Promise<void> {
    clearTimeout(this.#timer)
    this.#askedAt = performance.now()
    const away = await whoIsAway()
    if (away) this.again()
    else this.#tries = 0
    this.#onAway(away)
  }

  /** Asks a little later. */
  again(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.ask(), AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)])
  }

  /** Somebody is typing. */
  typing(): void {
    if (performance.now() - this.#askedAt > TYPING_MS) void this.ask()
  }
}
