/** The release of the protocol between parties; a transcript binds it. */
export const PROTOCOL_VERSION = 1

/** Admission control and bounds on dealt-ahead material, the same for every deployment. */
export const limits = Object.freeze({
  /** Sessions that a dealer or a server keeps at once, in all and for one remote address. */
  sessions: 256,
  sessionsPerPeer: 32,
  /** New sessions from one address within a minute. */
  opensPerMinute: 60,
  /** Without a sign of life a session is evicted, and its seed forgotten. */
  idleMs: 15 * 60_000,
  /** An announced session must be claimed at the server within this time. */
  claimMs: 60_000,
  /** Passes that may be dealt before the server has used up the earlier ones. */
  passesAhead: 64,
  /** Passes of one address within an hour: each releases one hidden state, or row of logits. */
  passesPerHour: Number.POSITIVE_INFINITY,
  /** One pass request of the owner. */
  passBytes: 64 * 1024,
  /** Dealt material that the server buffers for one session. */
  materialAheadBytes: 48 * 1024 * 1024,
  /** Material that the server has read before it tells the dealer so. */
  creditBytes: 2 * 1024 * 1024,
  /** One chunk of material. */
  chunkBytes: 8 * 1024 * 1024,
  /** One private tensor's b at the dealer; it travels in parts. */
  tensorBytes: 1024 * 1024 * 1024,
  tensorPartBytes: 1024 * 1024,
  modelsPerServer: 32,
  /** JSON messages and request bodies. */
  jsonBytes: 64 * 1024,
  /** Time for a handshake and for an announced session to be accepted. */
  handshakeMs: 10_000,
})
