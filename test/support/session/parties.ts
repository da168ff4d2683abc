/** Three parties on loopback with an engine that only counts, to test everything around the real one. */
import pino, { type Logger } from 'pino'
import type { Identity } from '../../../src/handshake/crypto.ts'
import { toBase64Url } from '../../../src/handshake/encoding.ts'
import { newIdentity } from '../../../src/handshake/node/key-file.ts'
import type { CatalogEntry } from '../../../src/model/files/catalog.ts'
import type { SessionRequest } from '../../../src/protections/shared/agreement/agreement.ts'
import type {
  DealerEngine,
  PlannedModel,
  ServerEngine,
} from '../../../src/protections/shared/agreement/parties.ts'
import { type StartDealer, startDealer } from '../../../src/protections/shared/dealer/start.ts'
import { SharedServing, type SharedServingOptions } from '../../../src/protections/shared/serving.ts'
import { type StartServer, startServer } from '../../../src/server/start.ts'
import { tinyConfig } from './tiny-bundle.ts'

export const modelHash = 'ab'.repeat(32)
export const planHash = 'cd'.repeat(32)
/** The catalogue's entry of the model that the counting engine serves. */
const counted = {
  name: 'counted',
  dir: '',
  hash: modelHash,
  manifest: {
    name: 'Counted',
    description: '',
    license: '',
    config: { ...tinyConfig, context: 1 },
    tensors: [],
  },
  files: new Map(),
} as object as CatalogEntry

export const fSeed = Uint8Array.from({ length: 32 }, (_, i) => 200 - i)

/** Deals as many chunks as the first byte of the request says, each of `size` bytes that tell pass and place. */
export class CountingDealer implements DealerEngine {
  readonly registered: { header: Uint8Array; tensors: Uint8Array[] }[] = []
  readonly seeds: Uint8Array[] = []
  closed = 0
  size = 1000

  async registerModel(
    _hash: string,
    header: Uint8Array,
    tensors: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const list: Uint8Array[] = []
    for await (const tensor of tensors) list.push(tensor)
    this.registered.push({ header, tensors: list })
    return planHash
  }

  close(): void {}

  open(_hash: string, seed: Uint8Array) {
    this.seeds.push(seed)
    return {
      costOf: ([n]: Uint8Array) => ({ rows: 1, bytes: n * this.size, rowsIn: 1 }),
      deal: async (request: Uint8Array, sink: (chunk: Uint8Array) => Promise<void>) => {
        if (request[0] === 255) throw new Error(`the engine fails; seed ${toBase64Url(seed)}`)
        for (let n = 0; n < request[0]; n++) await sink(new Uint8Array(this.size).fill(request[1] + n))
      },
      close: () => {
        this.closed++
      },
    }
  }
}

/** Answers `[pass, n]` with the first bytes of n chunks of that pass, and `[0, pass]` after discarding it. */
export class CountingServer implements ServerEngine {
  served: PlannedModel = { modelHash, planHash, profile: 'counting' }
  readonly header = Uint8Array.of(1, 2, 3)
  tensors = [new Uint8Array(10).fill(4), new Uint8Array(3_000_000).fill(5), new Uint8Array(0)]

  models = () => [this.served]
  registration = () => ({
    header: this.header,
    tensors: streamOf(this.tensors),
    bytes: this.tensors.reduce((sum, { length }) => sum + length, 0),
  })
  fSeed = () => fSeed

  open: ServerEngine['open'] = async (_hash, link, material) => {
    for (;;) {
      const [pass, n] = await link.receive()
      if (pass === 0) material.discard(n)
      const answer: number[] = []
      for (let i = 0; pass > 0 && i < n; i++) answer.push((await material.next(pass))[0])
      await link.send(Uint8Array.from(answer), true)
    }
  }
}

async function* streamOf<T>(list: T[]): AsyncGenerator<T> {
  yield* list
}

export interface Parties {
  dealer: Awaited<ReturnType<typeof startDealer>>
  server: Awaited<ReturnType<typeof startServer>>
  dealerEngine: CountingDealer
  serverEngine: CountingServer
  /** Everything logged at any level, as text. */
  logged: string[]
  request(changes?: Partial<SessionRequest>): SessionRequest
  /** Starts another dealer process, so to speak, at the same address. */
  restartDealer(): Promise<void>
  close(): Promise<void>
}

/** Of the server, and of secret sharing at it. */
export type ServerOptions = Partial<StartServer> &
  Partial<Pick<SharedServingOptions, 'engine' | 'claimMs' | 'wrapDial'>>

export interface PartiesOptions {
  dealerIdentity?: Identity
  serverIdentity?: Identity
  dealer?: Partial<StartDealer>
  server?: ServerOptions
  catalog?: CatalogEntry[]
  served?: Partial<PlannedModel>
  /** Time for server and dealer to find each other. */
  readyMs?: number
}

export async function startParties(options: PartiesOptions = {}): Promise<Parties> {
  const logged: string[] = []
  const log: Logger = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })
  const { dealerIdentity = newIdentity(), serverIdentity = newIdentity() } = options
  const [dealerEngine, serverEngine] = [new CountingDealer(), new CountingServer()]
  serverEngine.served = { ...serverEngine.served, ...options.served }
  const common = { log, host: '127.0.0.1', port: 0, origins: ['http://page.example'] }
  const dealerOptions = (port: number): StartDealer => ({
    ...common,
    port,
    identity: dealerIdentity,
    allow: [toBase64Url(serverIdentity.publicKey)],
    makeEngine: () => dealerEngine,
    ...options.dealer,
  })
  let dealer = await startDealer(dealerOptions(0))
  const { engine = serverEngine, claimMs, wrapDial, ...serverOptions } = options.server ?? {}
  const server = await startServer({
    ...common,
    identity: serverIdentity,
    catalog: options.catalog ?? [counted],
    protections: [
      {
        id: 'shared',
        takes: () => true,
        serve: async ({ identity, log, maxSessions }) =>
          new SharedServing({
            ...{ engine, identity, log, maxSessions, claimMs, wrapDial, times: serverOptions.times },
            dealer: { url: dealer.url, key: dealerIdentity.publicKey },
          }),
      },
    ],
    ...serverOptions,
  })
  const ready = until(() => server.isReady, options.readyMs).then(
    () => undefined,
    (error: Error) => error,
  )
  const failed = await Promise.race([ready, server.failed])
  if (failed) {
    await Promise.all([server.close(), dealer.close()])
    throw failed
  }
  const { port } = dealer
  return {
    dealer,
    server,
    dealerEngine,
    serverEngine,
    logged,
    request: (changes) => ({
      dealerUrl: dealer.url,
      dealerKey: toBase64Url(dealerIdentity.publicKey),
      serverKey: toBase64Url(serverIdentity.publicKey),
      modelHash,
      planHash,
      profile: 'counting',
      ...changes,
    }),
    restartDealer: async () => {
      dealer = await startDealer(dealerOptions(port))
    },
    close: async () => {
      await server.close()
      await dealer.close()
    },
  }
}

export async function until(condition: () => boolean, ms = 300_000): Promise<void> {
  for (const end = Date.now() + ms; !condition(); ) {
    if (Date.now() > end) throw new Error('It did not happen in time.')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
