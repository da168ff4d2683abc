/** The release of the protocol between parties; a transcript binds it. */
export const PROTOCOL_VERSION = 2

/** The release of what a server and its dealer say to each other. */
export const MATERIAL_VERSION = 2

/** Admission control and bounds on dealt-ahead material, the same for every deployment. */
export const limits = Object.freeze({
  /** Sessions that a dealer or a server keeps at once: claimed ones in all, and any for one remote address. */
  sessions: 256,
  sessionsPerPeer: 32,
  /** Sessions that are announced and not yet claimed at the server, in all. */
  unclaimedSessions: 64,
  /** New sessions from one address within a minute. */
  opensPerMinute: 60,
  /** Without a sign of life a session is evicted, and its seed forgotten. */
  idleMs: 15 * 60_000,
  /** An announced session must be claimed at the server within this time. */
  claimMs: 10_000,
  /** Passes that may be dealt before the server has used up the earlier ones. */
  passesAhead: 64,
  /**
   * Of one address within an hour: rows of hidden states or logits that are released to it, of which a pass of a decoder has
   * one and an encoder's up to 512; and bytes that are dealt for it.
   */
  rowsPerHour: Number.POSITIVE_INFINITY,
  dealtBytesPerHour: Number.POSITIVE_INFINITY,
  /** One pass request of the owner. */
  passBytes: 64 * 1024,
  /** Dealt material that servers buffer: for one session, the sessions of one address, and all of a dealer's. */
  materialAheadBytes: 48 * 1024 * 1024,
  materialBytesPerPeer: 256 * 1024 * 1024,
  materialBytes: 1024 * 1024 * 1024,
  /** Without any use of it for so long, a session's material makes room where others wait for it. */
  unusedMs: 30_000,
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
