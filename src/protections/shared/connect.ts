/** From a downloaded model to a session with both other parties. */
import * as v from 'valibot'
import { SessionError } from '../../handshake/errors.ts'
import { checked } from '../../handshake/parse-json.ts'
import { EncoderEnds } from '../../model/encoder-ends.ts'
import { Ends } from '../../model/ends.ts'
import { continuesText } from '../../model/graph/graph-of.ts'
import { connect } from '../../transport/connect.ts'
import type { Link } from '../../transport/link.ts'
import { partyUrl } from '../../transport/party-url.ts'
import { type ConnectRequest, ProtectionError } from '../protection.ts'
import { greetServer, openSession } from './agreement/agreement.ts'
import { SharedConnection } from './connection.ts'
import { SHARED } from './id.ts'
import { type SharedSettings, sharedListing, sharedSettings } from './listing.ts'
import { isNearServer, shortestPing } from './nearness.ts'
import { modelPlans, planHash } from './session/model-plan.ts'
import { OwnerSession } from './session/owner-session.ts'
import { ownerWeights } from './session/owner-weights.ts'

/**
 * Compiles the model's plans, agrees on keys with the dealer, connects to the server. Rejects with `SessionError`,
 * `LinkError` or `KernelError`. `plansOf` is for owners that mean to do something else than the others, as attacks that
 * are measured do.
 */
export async function connectShared(
  request: ConnectRequest,
  plansOf = modelPlans,
): Promise<SharedConnection> {
  const { model, listing, server, surroundings, onEvent } = request
  const dealer = dealerOf(request)
  const plans = plansOf(model.manifest)
  const hash = await planHash(plans)
  const { planHash: listed, profile } = checked(sharedListing, listing, `The listing of ${listing.name}`)
  if (hash !== listed)
    throw new SessionError('plan-mismatch', 'This page and the server would run the model differently.')
  const progress = (done: number, text: string) => onEvent({ type: 'progress', done, total: 3, text })
  progress(0, 'Choosing where to compute')
  const { device, reason } = await surroundings.device(request.backend, (why) =>
    onEvent({ type: 'notice', text: `Sotto goes on without the GPU, on the processor (${why}).` }),
  )
  const pinged = shortestPing(server, surroundings.connect.fetch)
  progress(1, 'Agreeing on keys with the dealer')
  const agreement = await openSession({
    dealerUrl: dealer.url,
    dealerKey: dealer.key,
    serverKey: request.serverKey,
    modelHash: listing.hash,
    planHash: hash,
    profile,
    fetch: surroundings.connect.fetch,
  })
  progress(2, 'Connecting to the model server')
  let link: Link | undefined
  try {
    const connected = await connect(server, { ...surroundings.connect, link: request.link })
    link = connected.link
    const greeted = performance.now()
    const { fSeed, delayMs } = await greetServer(link, agreement)
    const isNear = isNearServer([performance.now() - greeted, await pinged], delayMs)
    const { kernels } = surroundings
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
    const EndsOf = continuesText(config) ? Ends : EncoderEnds
    return new SharedConnection({
      config,
      ends: new EndsOf(config, model.tensors, plans),
      session,
      agreement,
      link,
      device,
      dealer: dealer.url,
      reasons: { link: connected.reason, backend: reason },
    })
  } catch (error) {
    await link?.close()
    await agreement.close()
    throw error
  }
}

/** The dealer, at an absolute address. Throws `ProtectionError` where none is configured, `AddressError` for a bad one. */
function dealerOf({ settings, base }: ConnectRequest): SharedSettings['dealer'] {
  const parsed = v.safeParse(sharedSettings, settings)
  const dealer = parsed.success ? parsed.output.dealer : undefined
  if (!dealer)
    throw new ProtectionError(
      'page-config',
      'Secret sharing needs a dealer, and none is configured here.',
      `Name it in config.json: {"protections": {"${SHARED}": {"dealer": {"url": ..., "key": ...}}}}.`,
    )
  return { ...dealer, url: partyUrl(dealer.url, 'the dealer', { base }) }
}
