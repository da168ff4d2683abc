/** What an owner does while a server or a dealer is replaced: it waits, opens a session with the next one, and asks again. */
import type { Open } from './connect.ts'

/** So long the next process may take to come up, and so often it is asked for; milliseconds. */
const REPLACING_MS = 90_000
const ASK_AGAIN_MS = 500

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
])

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code

/** Whether a party has said that another process follows it. */
export const isRestarting = (error: unknown): boolean => codeOf(error) === 'restarting'

/** Opens a session with whoever comes next. Rejects with what was wrong last where nobody does in time. */
export async function openNext(
  open: () => Promise<Open>,
  signal?: AbortSignal,
  replacingMs = REPLACING_MS,
): Promise<Open> {
  for (const until = performance.now() + replacingMs; ; ) {
    try {
      return await open()
    } catch (error) {
      if (!passing.has(codeOf(error)) || signal?.aborted || performance.now() > until) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
}
