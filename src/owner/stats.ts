import type { Counts } from '../protections/protection.ts'
import { newTraffic, type Traffic } from '../transport/link.ts'
import type { PartyTraffic, Stats } from './api.ts'

/** Words of a sample, as hexadecimal shows them. */
const SAMPLE_WORDS = 16

/** What the page shows of a session so far. */
export function statsOf(counts: Counts, secondsPerToken: number): Stats {
  const { server, dealer = newTraffic() } = counts
  return {
    tokensReady: counts.tokensReady,
    hops: counts.hops,
    ownerUpBytes: server.sentBytes,
    ownerDownBytes: server.receivedBytes,
    dealerUpBytes: dealer.sentBytes,
    dealerDownBytes: dealer.receivedBytes,
    dealerToServerBytes: counts.dealerToServerBytes,
    serverSample: words(counts.serverSample),
    dealerSample: words(counts.dealerSample),
    dispatches: counts.dispatches,
    tokens: counts.tokens,
    secondsPerToken,
    privateProducts: counts.privateProducts,
    server: partyTraffic(server),
    dealer: counts.dealer && partyTraffic(counts.dealer),
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
