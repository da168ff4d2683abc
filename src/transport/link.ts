/** The one interface that the protocol sees of a network: ordered messages between two parties. */

/** How two parties are connected. */
export type LinkKind = 'fetch' | 'webrtc' | 'ws' | 'memory'

/** Counters of one end of a link. Bytes are those handed to the socket: frame headers, acknowledgements and resends included. */
export interface Traffic {
  sentBytes: number
  receivedBytes: number
  sentMessages: number
  receivedMessages: number
  /** Bytes of the messages alone, each counted once however often it was resent. */
  sentPayloadBytes: number
  receivedPayloadBytes: number
}

/** Messages between two parties, each delivered once and in order, or an error. */
export interface Link {
  readonly kind: LinkKind
  /**
   * Queues one message. `reply` says that the peer will answer with at least one message: a fetch link then issues
   * its POST, while messages without it ride along with the next one. Resolves when there is room for more; the bytes
   * are copied before that, so that the caller may reuse them as soon as this returns.
   * Rejects with `LinkError`.
   */
  send(message: Uint8Array, reply: boolean): Promise<void>
  /** The next message, in order. Rejects with `LinkError` once the link is closed or lost. */
  receive(): Promise<Uint8Array>
  /**
   * Tells the peer and releases everything. Pending and later calls reject with code `closed`; the peer's have `because`,
   * a code of the layer above, beside it.
   */
  close(reason?: string, because?: string): Promise<void>
  /**
   * The peer has said who it is: from here on it may have the usual amount under way. Before that a link holds little.
   * Links that nobody accepted from a stranger need not have it.
   */
  greeted?(): void
  /** Called once when the link ends, for whatever reason. Links that wrap another one need not have it. */
  onEnd?(listener: (error: Error) => void): void
  readonly traffic: Readonly<Traffic>
}

/** Counters at zero. */
export const newTraffic = (): Traffic => ({
  sentBytes: 0,
  receivedBytes: 0,
  sentMessages: 0,
  receivedMessages: 0,
  sentPayloadBytes: 0,
  receivedPayloadBytes: 0,
})
