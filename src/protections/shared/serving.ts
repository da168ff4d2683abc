/** Secret sharing at the model server: loads the weights, finds the dealer, and runs owners' sessions. */

import type { Logger } from 'pino'
import * as v from 'valibot'
import type { Identity } from '../../handshake/crypto.ts'
import { toBase64Url, utf8 } from '../../handshake/encoding.ts'
import { SessionError } from '../../handshake/errors.ts'
import { parseJson } from '../../handshake/parse-json.ts'
import { createNodeKernels } from '../../kernels/node/kernels.ts'
import { Estimate } from '../../model/estimate.ts'
import type { Dial } from '../../transport/carrier.ts'
import { dialLink } from '../../transport/dial.ts'
import type { Link } from '../../transport/link.ts'
import { makeWebSocket } from '../../transport/node/ws.ts'
import { partyUrl } from '../../transport/party-url.ts'
import type { StreamTimes } from '../../transport/stream-link.ts'
import { webSocketDial } from '../../transport/websocket.ts'
import type { ServedModel, ServeRequest, Serving, ServingProtection } from '../serving.ts'
import { hello } from './agreement/messages.ts'
import type { ServerEngine } from './agreement/parties.ts'
import { signedBytes } from './agreement/transcript.ts'
import { SHARED } from './id.ts'
import type { SharedListing } from './listing.ts'
import { PlanServer } from './server/engine.ts'
import { Load } from './server/load.ts'
import { MaterialClient } from './server/material-client.ts'
import type { LoadEvents } from './server/served-weights.ts'
import type { SessionMaterial } from './server/session-material.ts'

const dealerSettings = v.object({
  dealer: v.object({
    url: v.string(),
    /** Its identity. */
    key: v.instance<new () => Uint8Array>(Uint8Array),
    /** A certificate to trust, where the dealer's is self-made. */
    ca: v.optional(v.string()),
    /** Whether a dealer elsewhere may be talked to without HTTPS; see `sotto serve --help`. */
    isOpenAllowed: v.optional(v.boolean()),
  }),
})
/** What `sotto serve` says of the dealer. */
export type DealerSettings = v.InferOutput<typeof dealerSettings>

/** Of one running server. */
export interface SharedServingOptions extends DealerSettings {
  readonly engine: ServerEngine
  readonly identity: Identity
  readonly log: Logger
  readonly maxSessions?: number
  readonly claimMs?: number
  readonly times?: Partial<StreamTimes>
  /** Wraps the dialling of the material socket, as tests of faults do. */
  readonly wrapDial?: (dial: Dial) => Dial
}

/** Sessions wait for the dealer: it announces each before its owner comes. */
export class SharedServing implements Serving {
  readonly models: readonly ServedModel[]
  readonly material: MaterialClient
  readonly failed: Promise<Error>
  readonly #engine: ServerEngine
  readonly #identity: Identity
  readonly #load = new Load()

  /** Begins to connect to the dealer, and to register the engine's models there. */
  constructor(options: SharedServingOptions) {
    const { engine, identity, dealer, times, wrapDial = (dial) => dial } = options
    this.#engine = engine
    this.#identity = identity
    this.models = engine.models().map(({ modelHash, planHash, profile }) => {
      const listing: SharedListing = { planHash, profile }
      return { modelHash, listing }
    })
    const url = new URL('/material', dealer.url).href
    const dial = wrapDial(webSocketDial(url, makeWebSocket({ ca: dealer.ca })))
    this.material = new MaterialClient({
      ...options,
      connect: () => dialLink('ws', dial, times),
      dealerKey: dealer.key,
    })
    this.failed = this.material.run().then(
      () => new Promise<Error>(() => undefined),
      (error: Error) => error,
    )
  }

  get isReady(): boolean {
    return this.material.ready
  }

  isPending(modelHash: string): boolean {
    return this.material.isPending(modelHash)
  }

  whenReady(): Promise<void> {
    return this.material.whenReady()
  }

  /**
   * Rejects with `SessionError`: `unknown-model`, `plan-mismatch`, or what is wrong with the session's claim.
   */
  async greet(link: Link, first: Uint8Array, peer: string): Promise<() => Promise<void>> {
    const { sessionId, transcript, modelHash, planHash } = parseJson(hello, first, 'The greeting')
    const model = this.#engine.models().find((served) => served.modelHash === modelHash)
    if (!model) throw new SessionError('unknown-model', 'The server has no such model.')
    if (model.planHash !== planHash) {
      throw new SessionError(
        'plan-mismatch',
        'The page and the model server disagree on how to run this model.',
      )
    }
    this.#engine.check?.(peer)
    const session = this.material.claim(sessionId, transcript, modelHash)
    try {
      return await this.#welcome(link, session, peer)
    } catch (error) {
      session.fail(new SessionError('expired', 'The owner has left before it was greeted.'))
      throw error
    }
  }

  async #welcome(link: Link, session: SessionMaterial, peer: string): Promise<() => Promise<void>> {
    const fSeed = this.#engine.fSeed(session.modelHash)
    const signature = await this.#identity.sign(signedBytes.serverWelcome(session.transcript, fSeed))
    const answer = {
      t: 'welcome',
      fSeed: toBase64Url(fSeed),
      signature: toBase64Url(signature),
      delay: this.#load.delay,
    }
    await link.send(utf8(JSON.stringify(answer)), true)
    return () => this.#run(link, session, peer)
  }

  stop(): Promise<void> {
    this.#load.stop()
    return this.material.stop()
  }

  async #run(link: Link, session: SessionMaterial, peer: string): Promise<void> {
    session.onFail((error) => void link.close(error.message, error.code))
    // While it waits for the dealer, the engine would not notice that the owner has gone.
    link.onEnd?.(() => session.fail(new SessionError('expired', 'The owner has left.')))
    try {
      const { modelHash, transcript } = session
      await this.#engine.open(modelHash, link, session, peer, (pass, isRight) =>
        this.#identity.sign(signedBytes.verdict(transcript, pass, isRight)),
      )
    } catch (error) {
      // The dealer is told why, too.
      if (error instanceof SessionError) session.fail(error)
      throw error
    } finally {
      session.fail(new SessionError('expired', 'The session is over.'))
    }
  }
}

/** Between two lines of the log that say how far something is. */
const SAID_EVERY_MS = 5000

/** Takes every bundle, so it stands last in a list. */
export const sharedServing: ServingProtection = {
  id: SHARED,
  takes: () => true,
  async serve({ entries, identity, settings, maxSessions, log }: ServeRequest) {
    const parsed = v.safeParse(dealerSettings, settings)
    if (!parsed.success)
      throw new Error(
        `Secret sharing of ${entries.map(({ name }) => name).join(', ')} needs a dealer: give --dealer and --dealer-key.`,
      )
    const { dealer } = parsed.output
    const url = partyUrl(dealer.url, 'the dealer', { isOpenAllowed: dealer.isOpenAllowed })
    const events = (model: string): LoadEvents => {
      const estimate = new Estimate(SAID_EVERY_MS)
      return {
        onProgress: (done, total) => {
          const pace = estimate.at(done, total)
          if (pace) log.info({ model, ...pace }, 'encoding weights')
        },
        onNote: (note) => log.warn({ model }, note),
      }
    }
    const engine = await PlanServer.load(createNodeKernels(), entries, undefined, identity, events)
    return new SharedServing({ engine, identity, log, maxSessions, dealer: { ...dealer, url } })
  },
}
