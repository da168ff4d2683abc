/** Bounds of the transport. Both ends share them, so that neither can make the other hold more than this. */
export const limits = Object.freeze({
  /** Payload of one frame. WebRTC implementations interoperate up to 64 KiB per data-channel message. */
  chunkBytes: 48 * 1024,
  /** One message, all of its chunks together. */
  messageBytes: 64 * 1024 * 1024,
  /** Sent and not yet acknowledged; above it `send` waits. */
  windowBytes: 16 * 1024 * 1024,
  /** Received and not yet consumed; above it acknowledgements are withheld, which stops the peer's window. */
  inboxBytes: 16 * 1024 * 1024,
  /** Body of one POST of the fetch link. */
  postBytes: 96 * 1024 * 1024,
  /** Bodies of POSTs that are being read at the same time, in all and from one address. */
  bodiesBytes: 512 * 1024 * 1024,
  bodiesBytesPerPeer: 192 * 1024 * 1024,
  /** Bytes in a socket's own buffer above which we stop writing, and below which we go on. */
  socketHighBytes: 1024 * 1024,
  socketLowBytes: 256 * 1024,
  /** Received bytes, or milliseconds, after which an acknowledgement is sent on its own. */
  ackBytes: 1024 * 1024,
  ackMs: 250,
  /** A link without a working connection is given up after this long. */
  resumeMs: 30_000,
  /** Silence after which the dialling side asks whether anyone is there, and after which it reconnects. */
  pingMs: 5_000,
  silenceMs: 12_000,
  handshakeMs: 10_000,
  /** Reconnects without a single new message in between. */
  recoveries: 6,
  /** A POST that waits for a message is answered empty after this long, before proxies cut it. */
  pollMs: 10_000,
  /** A fetch link shows a sign of life this often; the server gives one up that has not posted for longer. */
  heartbeatMs: 30_000,
  fetchIdleMs: 120_000,
  /** How long messages wait for company before they are posted or answered. */
  coalesceMs: 5,
  answerMs: 2,
  /** How long `receive` waits for a caller's own POST before it polls. */
  pollDelayMs: 15,
})
