/** A child process: the model server or the dealer, each as `sotto serve` and `sotto deal` run it. */
import pino from 'pino'
import { fromBase64Url, toBase64Url } from '../src/handshake/encoding.ts'
import { newIdentity } from '../src/handshake/node/key-file.ts'
import { createNodeKernels } from '../src/kernels/node/kernels.ts'
import { readCatalog } from '../src/model/files/catalog.ts'
import { PlanDealer } from '../src/protections/shared/dealer/engine.ts'
import { startDealer } from '../src/protections/shared/dealer/start.ts'
import { PlanServer } from '../src/protections/shared/server/engine.ts'
import { type RunningServer, startServer } from '../src/server/start.ts'
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
const kernels = createNodeKernels(choice)
const dealt: Dealt = { passes: 0, seconds: 0, bytes: 0 }
let running: RunningServer | undefined
let engine: WatchedServer | undefined

async function engineOf(facts: PublicFacts): Promise<PlanServer> {
  const { source } = facts
  if (source.kind === 'bundle') return PlanServer.load(kernels, await readCatalog(source.dir))
  const entry = await entryOf(facts)
  return PlanServer.load(kernels, [entry], async () => ({
    ...(await loadSource(source)),
    manifest: entry.manifest,
  }))
}

serve({
  /** The server is not known yet, and every one may connect: this dealer lives as long as one bench. */
  async startDealer(): Promise<PartyAddress> {
    const identity = newIdentity()
    const makeEngine = () => watchDealer(new PlanDealer(kernels), dealt)
    const { url } = await startDealer({ ...common, identity, makeEngine })
    return { url, key: toBase64Url(identity.publicKey) }
  },
  async startServer(options: ServerOptions): Promise<PartyAddress> {
    const identity = newIdentity()
    engine = new WatchedServer(await engineOf(options))
    const { url, key } = options.dealer
    const dealer = { url, key: fromBase64Url(key, 32) }
    running = await startServer({ ...common, identity, engine, catalog: [], dealer })
    const failed = running.failed.then((error) => Promise.reject(error))
    await Promise.race([running.material.whenReady(), failed])
    return { url: running.url, key: toBase64Url(identity.publicKey) }
  },
  /** All models of the server with the hashes that a session is agreed on. */
  served: () => engine?.models(),
  prefetch: ({ pass, begun }: { pass: number; begun: boolean }) => engine?.prefetch(pass, begun),
  /** Bytes that came from the dealer, at the socket. */
  materialBytes: () => running?.material.traffic?.receivedBytes,
  dealt: () => ({ ...dealt }),
  products: () => describe(choice),
  usage,
})
