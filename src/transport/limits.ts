/** Bounds of the transport. Both ends share them, so that neither can make the other hold more than this. */
export const limits = Object.freeze({
  /** Payload of one frame. WebRTC implementations interoperate up to 64 KiB per data-channel message. */
  chunkBytes: 48 * 1024,
  /** One message, all of its chunks together. */
  messageBytes: 64 * 1024 * 1024,
  /**
   * What a frame, a message or a request takes of memory besides its bytes: array headers, queue places, promises. Bounds
   * count it, or a peer that sends nothing, often, would be bounded by nothing.
   */
  frameCost: 512,
  messageCost: 512,
  requestCost: 64 * 1024,
  /** Sent and not yet acknowledged; above it `send` waits. */
  windowBytes: 16 * 1024 * 1024,
  /** Received and not yet consumed; above it acknowledgements are withheld, which stops the peer's window. */
  inboxBytes: 16 * 1024 * 1024,
  /** What a link holds of a peer that has not introduced itself. */
  strangerBytes: 128 * 1024,
  /** Body of one POST of the fetch link, or of its answer, and the frames in it. */
  postBytes: 96 * 1024 * 1024,
  postFrames: 16 * 1024,
  /** A body must have arrived after this long, and this much longer for what has arrived of it by then. */
  bodyGraceMs: 10_000,
  bodyBytesPerSecond: 8 * 1024,
  /** What links hold of what their peers sent, costs included: of one address, and of all. */
  heldBytesPerPeer: 192 * 1024 * 1024,
  heldBytes: 512 * 1024 * 1024,
  /** Frames, and milliseconds of reading them, that a link and an address may have within a second, and saved up. */
  linkRate: Object.freeze({ frames: 20_000, cpuMs: 500 }),
  peerRate: Object.freeze({ frames: 50_000, cpuMs: 700 }),
  burstSeconds: 2,
  /** The most that one frame is charged: on a busy machine a clock also counts what other programs took. */
  frameCpuMs: 0.5,
  /** Milliseconds, or frames, that are read without a turn for anybody else. */
  sliceMs: 8,
  sliceFrames: 256,
  /** Links of peers that have not introduced themselves: in all, beside those that have. */
  strangers: 64,
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
