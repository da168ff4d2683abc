/** WebSockets in Node: deflate off (masked words do not compress), Nagle off (a hop is one small message). */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { HEADER_BYTES } from '../frame.ts'
import { limits } from '../limits.ts'
import { type MakeWebSocket, WebSocketCarrier, type WebSocketLike } from '../websocket.ts'
import './crc32.ts'

const options = {
  perMessageDeflate: false,
  maxPayload: limits.chunkBytes + HEADER_BYTES,
  handshakeTimeout: 10_000,
  // A frame of ours is one message of one fragment, whatever proxies make of it.
  maxFragments: 64,
}

/** Pings and pongs of a peer between two messages. Neither end of ours sends any; some proxies do, every few seconds. */
const MAX_CONTROL = 1000

/** Says when what was sent has left for the network, so that a party busy computing need not poll for it. */
class Socket extends WebSocket {
  readonly #waiting: { low: number; resolve: () => void }[] = []

  override send(data: Uint8Array): void {
    super.send(data, this.#look)
  }

  drained(low: number): Promise<void> {
    if (this.bufferedAmount <= low || this.readyState !== WebSocket.OPEN) return Promise.resolve()
    if (this.listenerCount('close', this.#look) === 0) this.on('close', this.#look)
    return new Promise((resolve) => this.#waiting.push({ low, resolve }))
  }

  /** Nobody waits for what a closing socket still holds: on a dead network it would be half a minute. */
  override close(code?: number, reason?: string): void {
    super.close(code, reason)
    this.#look()
  }

  readonly #look = (): void => {
    if (this.#waiting.length === 0) return
    const buffered = this.readyState === WebSocket.OPEN ? this.bufferedAmount : 0
    while (this.#waiting.length > 0 && buffered <= this.#waiting[0].low) this.#waiting.shift()?.resolve()
  }
}

/** For the dialling side. `ca` is a certificate to trust in addition, such as a self-made one; `headers` go with its request. */
export const makeWebSocket =
  (own: { ca?: string | Buffer; headers?: Record<string, string> } = {}): MakeWebSocket =>
  (url) =>
    asLike(new Socket(url, { ...options, ...own }))

/** Cuts a socket whose peer sends control frames instead of messages. */
function boundControl(socket: Socket): Socket {
  let count = 0
  const counted = () => {
    if (++count > MAX_CONTROL) socket.terminate()
  }
  socket.on('ping', counted)
  socket.on('pong', counted)
  socket.on('message', () => {
    count = 0
  })
  return socket
}

/** Completes the upgrade of an HTTP request; the caller has checked path and origin. */
export class SocketAcceptor {
  readonly #server = new WebSocketServer({ noServer: true, WebSocket: Socket, ...options })

  /** Resolves when the handshake of RFC 6455 is done; never where the peer hangs up during it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocketCarrier> {
    return new Promise((resolve) => {
      this.#server.handleUpgrade(request, socket, head, (webSocket) =>
        resolve(new WebSocketCarrier(asLike(boundControl(webSocket)))),
      )
    })
  }

  /** Cuts every socket. */
  close(): void {
    for (const client of this.#server.clients) client.terminate()
    this.#server.close()
  }
}

const asLike = (socket: Socket): WebSocketLike => socket as unknown as WebSocketLike
