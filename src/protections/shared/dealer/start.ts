/** A running dealer. */
import type { Logger } from 'pino'
import type { Identity } from '../../../handshake/crypto.ts'
import { limits } from '../../../handshake/limits.ts'
import { Acceptor } from '../../../transport/acceptor.ts'
import type { Tls } from '../../../transport/node/certificate.ts'
import { type Listening, listen } from '../../../transport/node/http.ts'
import { peerAddress } from '../../../transport/node/peer.ts'
import { isFromPage, Visitors } from '../../../transport/node/visitors.ts'
import { SocketAcceptor } from '../../../transport/node/ws.ts'
import type { StreamTimes } from '../../../transport/stream-link.ts'
import type { AdmissionLimits } from '../agreement/admission.ts'
import type { DealerEngine } from '../agreement/parties.ts'
import type { SchedulerOptions } from '../scheduling/scheduler.ts'
import { Dealer } from './dealer.ts'
import { dealerApp } from './http.ts'
import type { PoolLimits } from './material-pool.ts'

/** Who the dealer is, whom it deals for, where it listens and what it admits. */
export interface StartDealer {
  identity: Identity
  /** Identity keys (base64url) of the servers that may connect; without it, any. */
  allow?: readonly string[]
  /** Called for each server that connects, by its identity key. */
  makeEngine: (serverKey: string) => DealerEngine
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
  /** How much owners may have. */
  admission?: Partial<AdmissionLimits>
  /** How deals take turns, and how much may be dealt ahead of its use. */
  scheduling?: SchedulerOptions
  material?: Partial<PoolLimits>
  /** Silence after which a session ends and its seed is forgotten, in milliseconds. */
  idleMs?: number
  /** Passes dealt before the server has used up the earlier ones. */
  passesAhead?: number
  /** Of links; for tests. */
  times?: Partial<StreamTimes>
}

/** A dealer that listens; `close` ends its sessions. */
export interface RunningDealer extends Listening {
  dealer: Dealer
}

/** Rejects where the port is taken. What becomes of sessions and servers is logged, never what they compute. */
export async function startDealer(options: StartDealer): Promise<RunningDealer> {
  const { log, origins, names = [], tls, trustProxy = false } = options
  const visitors = new Visitors({ origins, names, tls })
  const dealer = new Dealer(options)
  const sockets = new SocketAcceptor()
  // The material socket resumes like every link: a cut does not cost the sessions their masks.
  const acceptor = new Acceptor({
    onLink: (link) => void dealer.serve(link),
    maxLinks: 64,
    firstBytes: limits.jsonBytes,
    // Dealing goes on while what one session has credit for is under way.
    windowBytes: limits.materialAheadBytes,
    times: options.times,
  })
  const app = dealerApp({ dealer, origins, visitors, trustProxy, log })
  const listening = await listen({
    app,
    host: options.host,
    port: options.port,
    tls,
    onUpgrade: async (request, socket, head) => {
      // Only servers come here, and they are no browsers.
      const { url, headers } = request
      if (url !== '/material' || isFromPage(headers) || !visitors.isOurName(headers)) {
        socket.destroy()
        return
      }
      acceptor.accept(await sockets.upgrade(request, socket, head), 'ws', peerAddress(request, trustProxy))
    },
  })
  return {
    ...listening,
    dealer,
    close: async () => {
      await dealer.close()
      acceptor.close('The dealer is shutting down.')
      await new Promise((resolve) => setTimeout(resolve, 50))
      sockets.close()
      await listening.close()
    },
  }
}
