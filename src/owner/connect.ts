/** From a model's name to a session with both other parties. */
import { Tokenizer } from '@huggingface/tokenizers'
import { fetchCards, type ServedCard } from '../handshake/listing.ts'
import { loadPublic, type PublicModel } from '../model/files/bundle.ts'
import { BundleError } from '../model/files/manifest.ts'
import { continuesText } from '../model/graph/graph-of.ts'
import {
  type OwnerSession as Agreement,
  greetServer,
  openSession,
} from '../protections/shared/agreement/owner.ts'
import { modelPlans, planHash } from '../protections/shared/session/model-plan.ts'
import { OwnerSession } from '../protections/shared/session/owner-session.ts'
import { connect } from '../transport/connect.ts'
import type { Link } from '../transport/link.ts'
import type { OpenOptions, OwnerEvent, PageConfig, SessionInfo } from './api.ts'
import { OwnerError } from './api.ts'
import { EncoderEnds } from './encoder-ends.ts'
import { Ends } from './ends.ts'
import type { Platform } from './platform.ts'
import { ownerWeights } from './weights.ts'

/** A greeting answered sooner comes from the same computer or house, where a hop is cheaper than dealt bytes. */
const NEAR_MS = 12
/** A server that has just started prepares its models one by one; so long is it waited for, and asked so often. */
const PREPARING_MS = 120_000
const ASK_AGAIN_MS = 500

/** An open session. */
export interface Open {
  readonly model: PublicModel
  readonly tokenizer: Tokenizer
  /** What the owner itself computes: of a model that continues text, or of an encoder. */
  readonly ends: Ends | EncoderEnds
  readonly agreement: Agreement
  readonly link: Link
  readonly session: OwnerSession
  readonly info: SessionInfo
  readonly dispatches: () => number
  /** Tokens whose keys and values all parties have cached. */
  cached: number[]
}

type Say = (event: OwnerEvent) => void

export const progress = (
  phase: 'model' | 'connect' | 'prefill',
  done: number,
  total: number,
  text: string,
): OwnerEvent => ({ type: 'progress', phase, done, total, text })

/**
 * Downloads the public part, agrees on keys, connects. Rejects with typed errors, having closed what it opened. `plansOf`
 * is for owners that mean to do something else than the others, as attacks that are measured do.
 */
export async function openModel(
  { server, dealer }: PageConfig,
  platform: Platform,
  options: OpenOptions,
  say: Say,
  plansOf = modelPlans,
): Promise<Open> {
  const { card, serverKey } = await preparedCard(server, platform, options.model, say)
  const model = await load(server, platform, card, say)
  const plans = plansOf(model.manifest)
  const hash = await planHash(plans)
  if (hash !== card.planHash)
    throw new OwnerError(
      'plan-mismatch',
      'This page and the server would run the model differently.',
      'Reload the page.',
    )
  say(progress('connect', 0, 3, 'Choosing where to compute'))
  const { device, reason } = await platform.device(options.backend, (why) =>
    say({ type: 'notice', text: `Sotto goes on without the GPU, on the processor (${why}).` }),
  )
  say(progress('connect', 1, 3, 'Agreeing on keys with the dealer'))
  const agreement = await openSession({
    dealerUrl: dealer.url,
    dealerKey: dealer.key,
    serverKey,
    modelHash: card.hash,
    planHash: hash,
    profile: card.profile,
    fetch: platform.connect.fetch,
  })
  say(progress('connect', 2, 3, 'Connecting to the model server'))
  const connected = await connect(server, { ...platform.connect, link: options.link })
  const { link } = connected
  try {
    const greeted = performance.now()
    const { fSeed } = await greetServer(link, agreement)
    const isNear = performance.now() - greeted < NEAR_MS
    const { kernels } = platform
    const { config } = model.manifest
    const session = new OwnerSession({
      plans,
      isNear,
      kernels,
      device,
      link,
      seed: agreement.seed,
      stationarySeed: fSeed,
      clear: ownerWeights(kernels, plans, model.tensors, { server: fSeed, dealer: agreement.splitSeed }),
      requestPass: (pass, body) => agreement.requestPass(pass, body),
    })
    const info: SessionInfo = {
      model: card,
      link: { kind: link.kind, reason: connected.reason },
      backend: { name: device.name, reason },
      dealer: dealer.url,
      server,
      sessionId: agreement.sessionId,
    }
    const EndsOf = !continuesText(config) ? EncoderEnds : Ends
    return {
      model,
      tokenizer: new Tokenizer(model.tokenizer, {}),
      ends: new EndsOf(config, model.tensors, plans),
      agreement,
      link,
      session,
      info,
      dispatches: () => device.dispatches,
      cached: [],
    }
  } catch (error) {
    await link.close()
    await agreement.close()
    throw error
  }
}

/** The model's card, once the server can open sessions with it. */
async function preparedCard(
  server: string,
  platform: Platform,
  name: string,
  say: Say,
): Promise<{ card: ServedCard; serverKey: string }> {
  for (const until = performance.now() + PREPARING_MS; ; ) {
    const { models, serverKey } = await fetchCards(server, platform.connect.fetch)
    const card = models.find((m) => m.name === name)
    if (!card)
      throw new OwnerError('unknown-model', `The server has no model '${name}'.`, 'Choose another model.')
    if (!card.pending) return { card, serverKey }
    if (performance.now() > until)
      throw new OwnerError('unknown-model', `The server is still preparing '${name}'.`, 'Try again later.')
    say(progress('connect', 0, 3, 'The server is preparing this model'))
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
}

async function load(server: string, platform: Platform, card: ServedCard, say: Say): Promise<PublicModel> {
  const base = new URL(`/api/models/${card.name}/`, server).href
  const get = () =>
    loadPublic((name) => platform.download(base + name, card.hash), {
      expectedHash: card.hash,
      onProgress: ({ loaded, total, file }) => {
        if (file === 'public.safetensors')
          say(progress('model', loaded, total, 'Downloading the public part of the model'))
      },
    })
  try {
    return await get()
  } catch (error) {
    // A damaged copy in the browser's cache must not outlive its discovery.
    if (!(error instanceof BundleError) || error.fault !== 'hash-mismatch' || !platform.forget) throw error
    await platform.forget(card.hash)
    return get()
  }
}
