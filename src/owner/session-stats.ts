/** What a session has counted. Plain data, as all of `api.ts`. */
import type { AuditCounts } from '../protections/audit-counts.ts'

/** What crossed one party's network boundary. */
export interface PartyTraffic {
  bytesIn: number
  bytesOut: number
  messages: number
}

/** Running totals of a session, counted at the owner's sockets (and as reported by the peers, where they alone know). */
export interface Stats {
  /** Tokens whose input-independent work is already done. */
  tokensReady: number
  /** Sequential one-way messages so far. */
  hops: number
  /** From the owner to the server, and back. */
  ownerUpBytes: number
  ownerDownBytes: number
  /** From the owner to the dealer, and back. */
  dealerUpBytes: number
  dealerDownBytes: number
  dealerToServerBytes: number
  /** A few 32-bit words exactly as the server saw them last. */
  serverSample: number[]
  /** A few 32-bit words exactly as the dealer saw them last. */
  dealerSample: number[]
  /** Compute dispatches on the GPU; 0 on other backends. */
  dispatches: number
  /** Tokens generated or read privately so far. */
  tokens: number
  /** Of the last pass. */
  secondsPerToken: number
  /** Products with private weights, per token. */
  privateProducts: number
  /** The owner's traffic with the model server, in messages too. */
  server?: PartyTraffic
  /** The owner's traffic with the dealer, in messages too. */
  dealer?: PartyTraffic
  /** Passes that the dealer was audited in, of so many; all were right. None where it is not audited. */
  audits?: AuditCounts
}
