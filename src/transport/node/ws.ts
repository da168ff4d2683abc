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
}

/** For the dialling side. `ca` is a certificate to trust in addition, such as a self-made one. */
export const makeWebSocket =
  (tls: { ca?: string | Buffer } = {}): MakeWebSocket =>
  (url) =>
    asLike(new WebSocket(url, { ...options, ...tls }))

/** Completes the upgrade of an HTTP request; the caller has checked path and origin. */
export class SocketAcceptor {
  private readonly server = new WebSocketServer({ noServer: true, ...options })

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocketCarrier> {
    return new Promise((resolve) => {
      this.server.handleUpgrade(request, socket, head, (webSocket) =>
        resolve(new WebSocketCarrier(asLike(webSocket))),
      )
    })
  }

  /** Cuts every socket. */
  close(): void {
    for (const client of this.server.clients) client.terminate()
    this.server.close()
  }
}

const asLike = (socket: WebSocket): WebSocketLike => socket as unknown as WebSocketLike
