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
import { type Agreement, greetServer, openSession } from './agreement/agreement.ts'
import { SharedConnection } from './connection.ts'
import { SHARED } from './id.ts'
import { sharedListing, sharedSettings } from './listing.ts'
import { isNearServer, shortestPing } from './nearness.ts'
import type { Audits } from './session/audit.ts'
import { modelPlans, planHash } from './session/model-plan.ts'
import { OwnerSession } from './session/owner-session.ts'
import { ownerWeights } from './session/owner-weights.ts'
import { AUDITED, GOES_ON, MOST_AUDITED, OF_ROWS, toss } from './session/toss.ts'

/**
 * Compiles the model's plans, agrees on keys with the dealer, connects to the server. Rejects with `SessionError`,
 * `LinkError` or `KernelError`. `plansOf` is for owners that mean to do something else than the others, as attacks that
 * are measured do.
 */
export async function connectShared(
  request: ConnectRequest,
  plansOf = modelPlans,
): Promise<SharedConnection> {
  const { listing, server, surroundings, onEvent } = request
  const { dealer, audit } = settingsOf(request)
  const model = await request.download()
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
    const EndsOf = continuesText(config) ? Ends : EncoderEnds
    const ends = new EndsOf(config, model.tensors, plans)
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
      audits: audit > 0 ? auditsOf(audit, agreement, ends) : undefined,
    })
    return new SharedConnection({
      model,
      ends,
      session,
      agreement,
      link,
      device,
      dealer: dealer.url,
      released: plans.model.released,
      reasons: { link: connected.reason, backend: reason },
    })
  } catch (error) {
    await link?.close()
    await agreement.close()
    throw error
  }
}

/** The dealer, at an absolute address, and how often it is audited. Throws `ProtectionError` where none is configured, `AddressError` for a bad one. */
function settingsOf({ settings, base }: ConnectRequest): v.InferOutput<typeof sharedSettings> {
  const parsed = v.safeParse(sharedSettings, settings)
  if (parsed.issues?.some(({ path }) => path?.[0].key === 'audit'))
    throw new ProtectionError(
      'page-config',
      `How often the dealer is audited must be a probability from 0 to ${MOST_AUDITED}.`,
      `Correct it in config.json: {"protections": {"${SHARED}": {"audit": ${AUDITED}, ...}}}.`,
    )
  if (!parsed.success)
    throw new ProtectionError(
      'page-config',
      'Secret sharing needs a dealer, and none is configured here.',
      `Name it in config.json: {"protections": {"${SHARED}": {"dealer": {"url": ..., "key": ...}}}}.`,
    )
  const { dealer, audit } = parsed.output
  return { audit, dealer: { ...dealer, url: partyUrl(dealer.url, 'the dealer', { base }) } }
}

/** Audits by the system's coin. A rehearsal takes as long to read as a reply. */
const auditsOf = (audit: number, agreement: Agreement, ends: Ends | EncoderEnds): Audits => ({
  isNext: () => toss(audit),
  isBehind: (rows) => toss(rows > 1 ? audit : audit * OF_ROWS),
  goesOn: () => toss(GOES_ON),
  asIfRead: (released) => void (ends instanceof EncoderEnds || ends.logits(released)),
  isSigned: (...verdict) => agreement.isVerdict(...verdict),
  dealer: agreement.request.dealerUrl,
})
