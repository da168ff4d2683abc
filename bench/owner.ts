/** A child process: the data owner, with the kernels and links of `sotto complete`, and an emulated network on request. */
import { nodePlatform } from '../src/owner/node/platform.ts'
import { type Agreement, greetServer, openSession } from '../src/protections/shared/agreement/agreement.ts'
import type { PlannedModel } from '../src/protections/shared/agreement/parties.ts'
import { modelPlans } from '../src/protections/shared/session/model-plan.ts'
import { OwnerSession } from '../src/protections/shared/session/owner-session.ts'
import { decodePass } from '../src/protections/shared/session/pass-messages.ts'
import { loadWeights } from '../src/protections/shared/weights/held.ts'
import { connect, type LinkChoice } from '../src/transport/connect.ts'
import { emulate, type Network } from '../src/transport/emulated.ts'
import type { Link } from '../src/transport/link.ts'
import { serve, usage } from './child.ts'
import type { PartyAddress, ServerOptions } from './party.ts'
import { describe, productsOf } from './products.ts'
import { loadSource, manifestOf } from './shapes.ts'

export interface OwnerOptions extends Omit<ServerOptions, 'dealer'> {
  server: PartyAddress
  dealer: PartyAddress
  served: PlannedModel
  link: LinkChoice
  network: Network
}

export interface PassRequest {
  base: number
  /** [rows x dim] */
  embeddings: Float64Array
  /** Which rows are padding; an encoder's only. */
  padding?: Uint8Array
}

/** Counters of the owner's end, since its session began. */
export interface OwnerTraffic {
  sentBytes: number
  receivedBytes: number
  sentPayloadBytes: number
  receivedPayloadBytes: number
  /** Messages of passes one after another, either way, without what was sent ahead: those of row chunks go side by side. */
  hops: number
  /** Bytes that came from the dealer. */
  dealerDownBytes: number
}

class Owner {
  readonly session: OwnerSession
  readonly network: Network
  readonly #link: Link
  readonly #agreement: Agreement
  #hops = 0
  #gate: Promise<void> | undefined
  #open = (): void => undefined
  #asked = (_pass: number): void => undefined
  #running: Promise<Float64Array> | undefined

  constructor(
    setup: Omit<ConstructorParameters<typeof OwnerSession>[0], 'requestPass'>,
    agreement: Agreement,
    network: Network,
  ) {
    this.network = network
    this.#link = setup.link
    this.#agreement = agreement
    const requestPass = async (pass: number, body: Uint8Array): Promise<void> => {
      await agreement.requestPass(pass, body)
      this.#asked(pass)
      await this.#gate
    }
    this.session = new OwnerSession({
      ...setup,
      link: this.#counted(emulate(setup.link, network)),
      requestPass,
    })
  }

  /** Does all of a pass that needs no input, and holds there; resolves with the pass's number once the dealer knows. */
  prepare({ base, embeddings, padding }: PassRequest): Promise<number> {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve
    })
    return new Promise((resolve, reject) => {
      this.#asked = resolve
      this.#running = this.session.run(base, embeddings, { padding })
      this.#running.catch(reject)
    })
  }

  /** Lets the prepared pass go on: from here the input is known. */
  async go(): Promise<{ seconds: number; hidden: Float64Array }> {
    const started = performance.now()
    this.#gate = undefined
    this.#open()
    const hidden = await this.#running!
    return { seconds: (performance.now() - started) / 1000, hidden }
  }

  traffic(): OwnerTraffic {
    const { sentBytes, receivedBytes, sentPayloadBytes, receivedPayloadBytes } = this.#link.traffic
    const dealerDownBytes = this.#agreement.traffic.receivedBytes
    return {
      sentBytes,
      receivedBytes,
      sentPayloadBytes,
      receivedPayloadBytes,
      hops: this.#hops,
      dealerDownBytes,
    }
  }

  async close(): Promise<void> {
    await this.#link.close('The bench is over.')
    await this.#agreement.close()
  }

  #counted(link: Link): Link {
    // Row chunks send side by side what has one number.
    let seen = new Set<number>()
    let pass = 0
    const count = (bytes: Uint8Array): Uint8Array => {
      const message = decodePass(bytes)
      if (message.kind !== 'data') return bytes
      if (message.pass !== pass) {
        pass = message.pass
        seen = new Set()
      }
      if (!seen.has(message.index)) this.#hops++
      seen.add(message.index)
      return bytes
    }
    return {
      kind: link.kind,
      traffic: link.traffic,
      send: (message, reply) => link.send(count(message), reply),
      receive: async () => count(await link.receive()),
      close: (reason) => link.close(reason),
    }
  }
}

const choice = productsOf()
let owner: Owner | undefined
const current = (): Owner => {
  if (!owner) throw new Error('There is no session yet.')
  return owner
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

serve({
  /** Agrees on a session; resolves with the seconds that it took. */
  open: (o: OwnerOptions) =>
    timed(async () => {
      const { kernels, device, connect: options } = nodePlatform(choice)
      const manifest = await manifestOf(o)
      const plans = modelPlans(manifest)
      const hasPublic = plans.anyPlan.weights.some((w) => w.visibility === 'public')
      const tensors = hasPublic ? (await loadSource(o.source)).tensors : new Map()
      const { modelHash, planHash, profile } = o.served
      const [dealerUrl, dealerKey, serverKey] = [o.dealer.url, o.dealer.key, o.server.key]
      const agreement = await openSession({ dealerUrl, dealerKey, serverKey, modelHash, planHash, profile })
      const { link } = await connect(o.server.url, { ...options, link: o.link })
      const { fSeed } = await greetServer(link, agreement)
      owner = new Owner(
        {
          plans,
          kernels,
          device: (await device()).device,
          link,
          seed: agreement.seed,
          stationarySeed: fSeed,
          clear: loadWeights(kernels, plans.model.encode(tensors, ['public'])),
        },
        agreement,
        o.network,
      )
    }),
  /** Input-independent products for so many rows; resolves with the seconds that they took. */
  fill: (rows: number) => timed(() => current().session.pool.fill(rows)),
  prepare: (request: PassRequest) => current().prepare(request),
  go: () => current().go(),
  /** Whole passes, one after another, as a conversation runs them; resolves with the seconds of each. */
  async run({ parts, next }: { parts: PassRequest[]; next: boolean }): Promise<number[]> {
    const seconds: number[] = []
    for (const { base, embeddings, padding } of parts)
      seconds.push(await timed(() => current().session.run(base, embeddings, { next, padding })))
    await current().session.drop()
    return seconds
  },
  rtt: (ms: number) => {
    current().network.rtt = ms
  },
  traffic: () => current().traffic(),
  products: () => describe(choice),
  usage,
  close: () => current().close(),
})
