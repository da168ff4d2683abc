/** What an owner does while a server or a dealer is replaced: it waits, opens a session with the next one, and asks again. */
import { Cancelled } from '../protections/protection.ts'
import type { Open } from './connect.ts'

/**
 * So long the next process may take to come up, where one was announced and where its predecessor was gone without a word, and
 * so often it is asked for; milliseconds.
 */
const REPLACING_MS = 90_000
const UNANNOUNCED_MS = 30_000
const ASK_AGAIN_MS = 500
/** However long somebody says that it takes. */
const MAX_WAIT_S = 15

/** How it looks while the one has gone and the other is not there yet. */
const passing = new Set<unknown>([
  'restarting',
  'server-unreachable',
  'server-absent',
  // There was one: it is still on its way to the dealer.
  'unknown-model',
  'dealer-unreachable',
  'dealer-lost',
  'closed',
  'lost',
  'timeout',
  'unknown-link',
  'refused',
  'busy',
])

/** A link that was closed says why, where its other end did. */
const codeOf = (error: unknown): unknown => {
  const { code, because } = (error ?? {}) as { code?: unknown; because?: unknown }
  return because ?? code
}

/** Whether the session has ended because a party was replaced, said before or not. */
export const isReplaced = (error: unknown): boolean => isAnnounced(error) || gone.has(codeOf(error))

/** How it looks when a process has ended under a session. */
const gone = new Set<unknown>(['lost', 'unknown-link', 'dealer-lost', 'dealer-unreachable'])

const isAnnounced = (error: unknown): boolean => codeOf(error) === 'restarting'

/** Whether the same may succeed a little later, as a party itself says. */
export const isPutOff = (error: unknown): boolean => isAnnounced(error) || codeOf(error) === 'busy'

/**
 * Opens a session with whoever comes next, after `why`. Rejects with what was wrong last where nobody does in time, and with
 * `Cancelled` once `signal` is aborted: at once while it waits, else behind the attempt under way.
 */
export async function openNext(open: () => Promise<Open>, why: unknown, signal?: AbortSignal): Promise<Open> {
  for (const until = performance.now() + (isPutOff(why) ? REPLACING_MS : UNANNOUNCED_MS); ; ) {
    let waitMs = ASK_AGAIN_MS
    try {
      return await open()
    } catch (error) {
      if (!passing.has(codeOf(error)) || performance.now() > until) throw error
      const { retryAfter = 0 } = error as { retryAfter?: number }
      waitMs = Math.max(waitMs, 1000 * Math.min(MAX_WAIT_S, retryAfter))
    }
    await wait(waitMs, signal)
  }
}

/** Rejects with `Cancelled`, at once, where `signal` is or gets aborted. */
function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(new Cancelled('stopped'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
