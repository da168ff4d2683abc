/** Runs passes of the protocol between three real processes on loopback, and measures one of them. */
import type { ProductChoice, Products } from '../src/kernels/node/choice.ts'
import type { PlannedModel } from '../src/protections/shared/agreement/parties.ts'
import type { LinkChoice } from '../src/transport/connect.ts'
import type { Network } from '../src/transport/emulated.ts'
import { type Child, startChild, type Usage } from './child.ts'
import type { OwnerTraffic, PassRequest } from './owner.ts'
import type { PartyAddress } from './party.ts'
import type { PublicFacts } from './shapes.ts'

export interface PassFigures {
  hops: number
  upBytes: number
  downBytes: number
  upPayloadBytes: number
  downPayloadBytes: number
  dealerBytes: number
  onlineSeconds: number
  offlineSeconds: number
  /** The owner's products with private weights, and the dealer's own time, both within `offlineSeconds`. */
  productSeconds: number
  dealSeconds: number
  /** Processor time of each party, offline and online. */
  ownerCpuSeconds: number
  serverCpuSeconds: number
  dealerCpuSeconds: number
  /** Of it, until the input is known. */
  ownerOfflineCpuSeconds: number
  serverOfflineCpuSeconds: number
  dealerOfflineCpuSeconds: number
  hidden: Float64Array
}

type Usages = Record<'owner' | 'server' | 'dealer', Usage>

/** Time for acknowledgements that travel after the last message. */
const SETTLE_MS = 30

export class Bench {
  /** Seconds until a session was open. */
  setupSeconds = 0
  readonly #children: { owner: Child; server: Child; dealer: Child }
  readonly #link: LinkChoice

  private constructor(children: { owner: Child; server: Child; dealer: Child }, link: LinkChoice) {
    this.#children = children
    this.#link = link
  }

  /** Starts dealer, server and owner as processes of their own and opens a session. `products` is for all of them, `workers` for the dealer. */
  static async start(
    facts: PublicFacts,
    link: LinkChoice,
    network: Network,
    { products, workers }: { products?: Products; workers?: number } = {},
  ): Promise<Bench> {
    const args = products ? [products] : []
    const children = {
      dealer: startChild('./party.ts', args),
      server: startChild('./party.ts', args),
      owner: startChild('./owner.ts', args),
    }
    const bench = new Bench(children, link)
    try {
      const started = performance.now()
      const dealer = await children.dealer.call<PartyAddress>('startDealer', { workers })
      const server = await children.server.call<PartyAddress>('startServer', { ...facts, dealer })
      const [served] = await children.server.call<PlannedModel[]>('served')
      await children.owner.call('open', { ...facts, server, dealer, served, link, network })
      bench.setupSeconds = (performance.now() - started) / 1000
      return bench
    } catch (error) {
      await bench.stop()
      throw error
    }
  }

  /** Passes whose figures nobody needs, such as those that fill a cache; resolves with the seconds of each. */
  run(parts: PassRequest[], next: boolean): Promise<number[]> {
    return this.#children.owner.call('run', { parts, next })
  }

  /** The owner's products for so many rows; resolves with the seconds that they take. */
  fill(rows: number): Promise<number> {
    return this.#children.owner.call('fill', rows)
  }

  /** One pass with nothing overlapped: first all that needs no input, at every party, then the rest. */
  async measure(request: PassRequest, rows: number): Promise<PassFigures> {
    const { owner, server } = this.#children
    const before = await this.#counters()
    const started = performance.now()
    // The dealer is asked at once, and works while the owner makes its products.
    const made = owner.call<number>('fill', rows)
    const pass = await owner.call<number>('prepare', request)
    await server.call('prefetch', { pass, begun: this.#link !== 'fetch' })
    const productSeconds = await made
    const offlineSeconds = (performance.now() - started) / 1000
    const offline = await this.usage()
    const cpu = (from: Usages, to: Usages, party: keyof Usages) =>
      to[party].cpuSeconds - from[party].cpuSeconds
    const { seconds, hidden } = await owner.call<{ seconds: number; hidden: Float64Array }>('go')
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const after = await this.#counters()
    return {
      hops: after.hops - before.hops,
      upBytes: after.sentBytes - before.sentBytes,
      downBytes: after.receivedBytes - before.receivedBytes,
      upPayloadBytes: after.sentPayloadBytes - before.sentPayloadBytes,
      downPayloadBytes: after.receivedPayloadBytes - before.receivedPayloadBytes,
      dealerBytes: after.material - before.material,
      onlineSeconds: seconds,
      offlineSeconds,
      productSeconds,
      dealSeconds: after.dealt - before.dealt,
      ownerCpuSeconds: cpu(before.usage, after.usage, 'owner'),
      serverCpuSeconds: cpu(before.usage, after.usage, 'server'),
      dealerCpuSeconds: cpu(before.usage, after.usage, 'dealer'),
      ownerOfflineCpuSeconds: cpu(before.usage, offline, 'owner'),
      serverOfflineCpuSeconds: cpu(before.usage, offline, 'server'),
      dealerOfflineCpuSeconds: cpu(before.usage, offline, 'dealer'),
      hidden,
    }
  }

  /** Round trip of the emulated network from now on, in milliseconds. */
  rtt(ms: number): Promise<void> {
    return this.#children.owner.call('rtt', ms)
  }

  /** What the owner has downloaded so far: from the dealer, and from the server. */
  async downloads(): Promise<number> {
    const { dealerDownBytes, receivedBytes } = await this.#children.owner.call<OwnerTraffic>('traffic')
    return dealerDownBytes + receivedBytes
  }

  async usage(): Promise<Usages> {
    const { owner, server, dealer } = this.#children
    const of = (child: Child) => child.call<Usage>('usage')
    return { owner: await of(owner), server: await of(server), dealer: await of(dealer) }
  }

  /** What makes each party's products of many rows, and why. */
  async products(): Promise<Record<keyof Usages, Pick<ProductChoice, 'kind' | 'reason'>>> {
    const { owner, server, dealer } = this.#children
    const of = (child: Child) => child.call<Pick<ProductChoice, 'kind' | 'reason'>>('products')
    return { owner: await of(owner), server: await of(server), dealer: await of(dealer) }
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.#children).map((child) => child.stop()))
  }

  async #counters() {
    const { owner, server, dealer } = this.#children
    const traffic = await owner.call<OwnerTraffic>('traffic')
    const material = await server.call<number>('materialBytes')
    const { seconds: dealt } = await dealer.call<{ seconds: number }>('dealt')
    return { ...traffic, material, dealt, usage: await this.usage() }
  }
}
