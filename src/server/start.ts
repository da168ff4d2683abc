/** A running model server. */
import type { Logger } from 'pino'
import type { Identity } from '../handshake/crypto.ts'
import { limits } from '../handshake/limits.ts'
import type { CatalogEntry } from '../model/files/catalog.ts'
import type { ServerEngine } from '../protections/shared/agreement/parties.ts'
import { MaterialClient } from '../protections/shared/server/material-client.ts'
import { Sessions } from '../protections/shared/server/sessions.ts'
import { Acceptor } from '../transport/acceptor.ts'
import type { Dial } from '../transport/carrier.ts'
import { dialLink } from '../transport/dial.ts'
import type { Tls } from '../transport/node/certificate.ts'
import { type Listening, listen, originAllowed } from '../transport/node/http.ts'
import { peerAddress } from '../transport/node/peer.ts'
import { makeWebSocket, SocketAcceptor } from '../transport/node/ws.ts'
import type { StreamTimes } from '../transport/stream-link.ts'
import { webSocketDial } from '../transport/websocket.ts'
import { serverApp } from './http.ts'

export interface StartServer {
  identity: Identity
  engine: ServerEngine
  catalog: readonly CatalogEntry[]
  dealer: {
    url: string
    key: Uint8Array /** A certificate to trust, where the dealer's is self-made. */
    ca?: string
  }
  log: Logger
  host: string
  port: number
  origins: readonly string[]
  tls?: Tls
  trustProxy?: boolean
  maxSessions?: number
  idleMs?: number
  claimMs?: number
  times?: Partial<StreamTimes>
  /** Wraps the dialling of the material socket, as tests of faults do. */
  wrapDial?: (dial: Dial) => Dial
}

export interface RunningServer extends Listening {
  material: MaterialClient
  sessions: Sessions
  /** Settles when the dealer is given up for good, which only a wrong key does. */
  failed: Promise<Error>
}

export async function startServer(options: StartServer): Promise<RunningServer> {
  const {
    identity,
    engine,
    log,
    origins,
    catalog,
    dealer,
    host,
    port,
    tls,
    trustProxy = false,
    times,
  } = options
  const plainDial = webSocketDial(new URL('/material', dealer.url).href, makeWebSocket({ ca: dealer.ca }))
  const dial = options.wrapDial?.(plainDial) ?? plainDial
  const material = new MaterialClient({
    ...options,
    connect: () => dialLink('ws', dial, times),
    dealerKey: dealer.key,
  })
  const sessions = new Sessions({ engine, identity, material, log, idleMs: options.idleMs })
  const acceptor = new Acceptor({
    onLink: (link) => void sessions.serve(link),
    maxLinks: options.maxSessions,
    firstBytes: limits.jsonBytes,
    times,
  })
  const sockets = new SocketAcceptor()
  const status = () => ({ ready: material.ready, sessions: sessions.count })
  const models = engine.models()
  const app = serverApp({
    catalog,
    models,
    identity,
    acceptor,
    host,
    origins,
    trustProxy,
    status,
    isPending: (modelHash) => material.isPending(modelHash),
    log,
  })
  const listening = await listen({
    app,
    host,
    port,
    tls,
    onUpgrade: async (request, socket, head) => {
      // WebSockets are not subject to CORS, so the origin is checked here.
      if (request.url !== '/api/link' || !originAllowed(origins, request.headers.origin)) {
        socket.destroy()
        return
      }
      acceptor.accept(await sockets.upgrade(request, socket, head), 'ws', peerAddress(request, trustProxy))
    },
  })
  const failed = material.run().then(
    () => new Promise<Error>(() => undefined),
    (error: Error) => error,
  )
  return {
    ...listening,
    material,
    sessions,
    failed,
    close: async () => {
      acceptor.close('The model server is shutting down.')
      await material.stop()
      await new Promise((resolve) => setTimeout(resolve, 50))
      sockets.close()
      await listening.close()
    },
  }
}
