/** A child process: the model server or the dealer, each as `sotto serve` and `sotto deal` run it. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import pino from 'pino'
import { fromBase64Url, toBase64Url } from '../src/handshake/encoding.ts'
import { newIdentity } from '../src/handshake/node/key-file.ts'
import { chooseProducts } from '../src/kernels/node/choice.ts'
import { createNodeKernels } from '../src/kernels/node/kernels.ts'
import { type CatalogEntry, readCatalog } from '../src/model/files/catalog.ts'
import { DEALER_DIGIT_BYTES, PlanDealer } from '../src/protections/shared/dealer/engine.ts'
import { startDealer } from '../src/protections/shared/dealer/start.ts'
import { DealingThreads } from '../src/protections/shared/dealer/workers/threads.ts'
import { PlanServer } from '../src/protections/shared/server/engine.ts'
import { SharedServing } from '../src/protections/shared/serving.ts'
import { startServer } from '../src/server/start.ts'
import { serve, usage } from './child.ts'
import { describe, productsOf } from './products.ts'
import { entryOf, loadSource, type PublicFacts } from './shapes.ts'
import { type Dealt, WatchedServer, watchDealer } from './watch.ts'

export interface PartyAddress {
  url: string
  key: string
}

export interface ServerOptions extends PublicFacts {
  dealer: PartyAddress
  /** Many owners come from one machine, and say themselves which address is theirs. */
  isCrowded?: boolean
}

export interface DealerOptions extends Pick<ServerOptions, 'isCrowded'> {
  /** Threads that deal; the main one if not given. */
  workers?: number
}

const common = {
  log: pino(
    { level: process.env.SOTTO_BENCH_LOG ?? 'error', base: null },
    pino.destination({ dest: 2, sync: true }),
  ),
  host: '127.0.0.1',
  port: 0,
  origins: [],
}
const choice = productsOf()
const delay = monitorEventLoopDelay()
delay.enable()
const kernels = createNodeKernels(choice)
const dealt: Dealt = { passes: 0, seconds: 0, bytes: 0 }
let serving: SharedServing | undefined
let engine: WatchedServer | undefined

const catalogOf = async (facts: PublicFacts): Promise<CatalogEntry[]> =>
  facts.source.kind === 'bundle' ? readCatalog(facts.source.dir) : [await entryOf(facts)]

function engineOf({ source }: PublicFacts, catalog: CatalogEntry[]): Promise<PlanServer> {
  if (source.kind === 'bundle') return PlanServer.load(kernels, catalog)
  const [{ manifest }] = catalog
  return PlanServer.load(kernels, catalog, async () => ({ ...(await loadSource(source)), manifest }))
}

serve({
  /** The server is not known yet, and every one may connect: this dealer lives as long as one bench. */
  async startDealer({ isCrowded, workers = 0 }: DealerOptions): Promise<PartyAddress> {
    const identity = newIdentity()
    const dealing = createNodeKernels({ ...choice, digitBytes: DEALER_DIGIT_BYTES })
    const threads = new DealingThreads(workers, (await chooseProducts(choice)).kind)
    const makeEngine = (serverKey: string) =>
      watchDealer(workers > 0 ? threads.makeEngine(serverKey) : new PlanDealer(dealing), dealt)
    const { url } = await startDealer({ ...common, identity, makeEngine, trustProxy: isCrowded })
    return { url, key: toBase64Url(identity.publicKey) }
  },
  async startServer(options: ServerOptions): Promise<PartyAddress> {
    const identity = newIdentity()
    const catalog = await catalogOf(options)
    engine = new WatchedServer(await engineOf(options, catalog))
    const { url, key } = options.dealer
    const dealer = { url, key: fromBase64Url(key, 32) }
    serving = new SharedServing({ engine, identity, dealer, log: common.log })
    const watched = { id: 'shared', takes: () => true, serve: async () => serving! }
    const trustProxy = options.isCrowded
    const running = await startServer({ ...common, identity, catalog, protections: [watched], trustProxy })
    const failed = running.failed.then((error) => Promise.reject(error))
    await Promise.race([running.whenReady(), failed])
    return { url: running.url, key: toBase64Url(identity.publicKey) }
  },
  /** All models of the server with the hashes that a session is agreed on. */
  served: () => engine?.models(),
  prefetch: ({ pass, begun }: { pass: number; begun: boolean }) => engine?.prefetch(pass, begun),
  /** Bytes that came from the dealer, at the socket. */
  materialBytes: () => serving?.material.traffic?.receivedBytes,
  dealt: () => ({ ...dealt }),
  products: () => describe(choice),
  /** The longest time that the main thread was not to be had, since this was asked last. */
  stall(): number {
    const seconds = delay.max / 1e9
    delay.reset()
    return seconds
  },
  usage,
})
