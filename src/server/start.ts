/** A running model server. */
import type { Logger } from 'pino'
import type { Identity } from '../handshake/crypto.ts'
import { limits } from '../handshake/limits.ts'
import type { CatalogEntry } from '../model/files/catalog.ts'
import { servingProtections } from '../protections/server-registry.ts'
import type { ServingProtection } from '../protections/serving.ts'
import { Acceptor } from '../transport/acceptor.ts'
import type { Tls } from '../transport/node/certificate.ts'
import { type Listening, listen } from '../transport/node/http.ts'
import { peerAddress } from '../transport/node/peer.ts'
import { Visitors } from '../transport/node/visitors.ts'
import { SocketAcceptor } from '../transport/node/ws.ts'
import type { StreamTimes } from '../transport/stream-link.ts'
import { serverApp } from './http.ts'
import { startServings } from './servings.ts'
import { Sessions } from './sessions.ts'

/** Who the server is, what it serves under which protections, and where it listens. */
export interface StartServer {
  identity: Identity
  /** The bundles. */
  catalog: readonly CatalogEntry[]
  /** What the bundles may be served under: the registry's, unless said otherwise. */
  protections?: readonly ServingProtection[]
  /** Settings of each protection, by its id. */
  settings?: Readonly<Record<string, unknown>>
  /** Gets no secrets, texts or addresses. */
  log: Logger
  host: string
  /** 0 takes any free one. */
  port: number
  /** Of the pages that may connect; `*` is any. Programs that are no browsers may always. */
  origins: readonly string[]
  /** Names under which it is visited; see `Doors`. */
  names?: readonly string[]
  /** HTTPS where it is given. */
  tls?: Tls
  /** Takes visitors' addresses from the last entry of `x-forwarded-for`. */
  trustProxy?: boolean
  /** At once; 256 where nothing else is said. */
  maxSessions?: number
  /** Of one address; 32 where nothing else is said. */
  maxSessionsPerPeer?: number
  /** Silence after which a session ends, in milliseconds. */
  idleMs?: number
  /** Of links; for tests. */
  times?: Partial<StreamTimes>
}

/** A server that listens; it may still wait for whom its protections need. */
export interface RunningServer extends Listening {
  sessions: Sessions
  /** Names of what it offers. */
  readonly models: readonly string[]
  /** All models can be used. */
  readonly isReady: boolean
  /** Resolves when a first session can be opened under every protection. */
  whenReady(): Promise<void>
  /** Settles when one of the protections is given up for good, with why. */
  failed: Promise<Error>
}

/** Rejects with a plain explanation where a bundle cannot be served, or the port is taken. */
export async function startServer(options: StartServer): Promise<RunningServer> {
  const { identity, catalog, log, origins, host, port, tls, trustProxy = false, times } = options
  const visitors = new Visitors({ origins, names: options.names ?? [], tls })
  const { protections = servingProtections, settings = {}, maxSessions, idleMs } = options
  const servings = await startServings({
    catalog,
    protections,
    settings,
    identity,
    maxSessions,
    log,
  })
  const { all, listings } = servings
  const stopAll = () => Promise.all(all.map((serving) => serving.stop()))
  const isReady = (): boolean => !sessions.isDraining && all.every((serving) => serving.isReady)
  const sessions = new Sessions({ servings, log, idleMs })
  const acceptor = new Acceptor({
    onLink: (link, peer) => void sessions.serve(link, peer),
    maxLinks: maxSessions,
    maxLinksPerPeer: options.maxSessionsPerPeer,
    firstBytes: limits.jsonBytes,
    times,
  })
  const sockets = new SocketAcceptor()
  const app = serverApp({
    catalog,
    listings,
    identity,
    acceptor,
    host,
    origins,
    visitors,
    trustProxy,
    isReady,
    isPending: (modelHash) => servings.of(modelHash)?.isPending(modelHash) === true,
    log,
  })
  const listening = await listen({
    app,
    host,
    port,
    tls,
    onUpgrade: async (request, socket, head) => {
      // WebSockets are not subject to CORS, so the origin is checked here.
      const { url, headers } = request
      if (url !== '/api/link' || !visitors.isOurName(headers) || !visitors.isOurPage(headers)) {
        socket.destroy()
        return
      }
      acceptor.accept(await sockets.upgrade(request, socket, head), 'ws', peerAddress(request, trustProxy))
    },
  }).catch(async (error) => {
    await stopAll()
    throw error
  })
  return {
    ...listening,
    sessions,
    models: listings.map(({ name }) => name),
    get isReady() {
      return isReady()
    },
    whenReady: async () => void (await Promise.all(all.map((serving) => serving.whenReady()))),
    failed: Promise.race(all.map(({ failed }) => failed)),
    close: async () => {
      acceptor.close('The model server is shutting down.')
      await stopAll()
      await new Promise((resolve) => setTimeout(resolve, 50))
      sockets.close()
      await listening.close()
    },
  }
}
