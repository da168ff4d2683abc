import type { Counts, DealerCounts } from '../protections/protection.ts'
import { newTraffic, type Traffic } from '../transport/link.ts'
import type { PartyTraffic, Stats } from './session-stats.ts'

/** Words of a sample, as hexadecimal shows them. */
const SAMPLE_WORDS = 16

const NO_DEALER: DealerCounts = { traffic: newTraffic(), toServerBytes: 0, sample: new Uint8Array() }

/** What the page shows of a session so far. */
export function statsOf(counts: Counts, secondsPerToken: number): Stats {
  const { server, dealer = NO_DEALER } = counts
  return {
    tokensReady: counts.tokensReady,
    hops: counts.hops,
    ownerUpBytes: server.sentBytes,
    ownerDownBytes: server.receivedBytes,
    dealerUpBytes: dealer.traffic.sentBytes,
    dealerDownBytes: dealer.traffic.receivedBytes,
    dealerToServerBytes: dealer.toServerBytes,
    serverSample: words(counts.serverSample),
    dealerSample: words(dealer.sample),
    dispatches: counts.dispatches,
    tokens: counts.tokens,
    secondsPerToken,
    privateProducts: counts.privateProducts,
    server: partyTraffic(server),
    dealer: counts.dealer && partyTraffic(counts.dealer.traffic),
    audits: counts.audits,
  }
}

/** The first whole 32-bit words. */
const words = (bytes: Uint8Array): number[] => [
  ...new Uint32Array(bytes.slice(0, 4 * Math.min(SAMPLE_WORDS, Math.floor(bytes.length / 4))).buffer),
]

const partyTraffic = (traffic: Readonly<Traffic>): PartyTraffic => ({
  bytesIn: traffic.receivedBytes,
  bytesOut: traffic.sentBytes,
  messages: traffic.sentMessages + traffic.receivedMessages,
})
