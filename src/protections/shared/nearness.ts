/** How far away the model server is, whatever it is busy with. */

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
