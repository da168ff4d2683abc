import type { OwnerSession } from '../protections/shared/session/owner-session.ts'
import type { Traffic } from '../transport/link.ts'
import type { Stats } from './api.ts'

/** Words of a sample, as hexadecimal shows them. */
const SAMPLE_WORDS = 16

/** What the page shows of a session so far. */
export function statsOf(
  session: OwnerSession,
  server: Readonly<Traffic>,
  dealer: Readonly<Traffic>,
  dispatches: number,
  secondsPerToken: number,
): Stats {
  const { totals, pool } = session
  const bytes = totals.lastSent.slice(0, 4 * Math.min(SAMPLE_WORDS, Math.floor(totals.lastSent.length / 4)))
  return {
    tokensReady: pool.ready,
    hops: totals.hops,
    ownerUpBytes: server.sentBytes,
    ownerDownBytes: server.receivedBytes,
    dealerUpBytes: dealer.sentBytes,
    dealerDownBytes: dealer.receivedBytes,
    dealerToServerBytes: totals.dealerBytes,
    serverSample: [...new Uint32Array(bytes.buffer)],
    dealerSample: [...new Uint32Array(totals.lastRequest.slice().buffer)],
    dispatches,
    tokens: totals.rows,
    secondsPerToken,
    privateProducts: session.privateProducts,
    server: {
      bytesIn: server.receivedBytes,
      bytesOut: server.sentBytes,
      messages: server.sentMessages + server.receivedMessages,
    },
    dealer: {
      bytesIn: dealer.receivedBytes,
      bytesOut: dealer.sentBytes,
      messages: dealer.sentMessages + dealer.receivedMessages,
    },
  }
}
