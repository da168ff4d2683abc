/** How far away the model server is, whatever it is busy with. */

/** A round trip that is shorter stays within a computer or a house, where a hop is cheaper than dealt bytes. */
const NEAR_MS = 12

const PINGS = 5
const PING_MS = 1000

/**
 * The shortest of several round trips, in milliseconds: one alone says as much of the server's load as of the distance, and
 * the first ones open a connection. Infinity where none is answered in time; never rejects.
 */
export async function shortestPing(
  server: string,
  fetch = globalThis.fetch.bind(globalThis),
  now = () => performance.now(),
): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY
  for (let n = 0; n < PINGS; n++) {
    const sent = now()
    try {
      const response = await fetch(new URL('/livez', server), {
        cache: 'no-store',
        signal: AbortSignal.timeout(PING_MS),
      })
      await response.arrayBuffer()
      shortest = Math.min(shortest, now() - sent)
    } catch {
      return shortest
    }
  }
  return shortest
}

/**
 * A server that is busy takes its time to answer, and is no further away for it.
 *
 * @param roundTrips measured, in milliseconds
 * @param delayMs what the server says that it lets everybody wait: a hint, by which it can win nothing but another plan
 */
export const isNearServer = (roundTrips: readonly number[], delayMs: number): boolean =>
  Math.min(...roundTrips) - delayMs < NEAR_MS
