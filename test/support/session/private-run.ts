/** The real engine between three real sockets, on a tiny model. */

import * as v from 'valibot'
import { fetchListings } from '../../../src/handshake/listing.ts'
import { createNodeKernels } from '../../../src/kernels/node/kernels.ts'
import { createCpuProductDevice } from '../../../src/kernels/wasm/device.ts'
import { Ends } from '../../../src/model/ends.ts'
import type { Bundle } from '../../../src/model/files/bundle-node.ts'
import { readCatalog } from '../../../src/model/files/catalog.ts'
import { floatModel } from '../../../src/model/graph/decoder-model.ts'
import { greetServer, openSession } from '../../../src/protections/shared/agreement/agreement.ts'
import type { PlannedModel } from '../../../src/protections/shared/agreement/parties.ts'
import { PlanDealer } from '../../../src/protections/shared/dealer/engine.ts'
import { sharedListing } from '../../../src/protections/shared/listing.ts'
import { PlanServer } from '../../../src/protections/shared/server/engine.ts'
import { type ModelPlans, modelPlans } from '../../../src/protections/shared/session/model-plan.ts'
import { OwnerSession } from '../../../src/protections/shared/session/owner-session.ts'
import { ownerWeights } from '../../../src/protections/shared/session/owner-weights.ts'
import type { Link } from '../../../src/transport/link.ts'
import { likeness } from '../likeness.ts'
import { type Parties, type PartiesOptions, startParties } from './parties.ts'

const kernels = createNodeKernels()

/** An owner's plans of a bundle, made once: the sessions of a fault matrix are many. */
const prepared = new WeakMap<OwnerBundle, ModelPlans>()

/** What an owner knows of a bundle. */
export type OwnerBundle = Pick<Bundle, 'manifest' | 'tensors'>

function prepare(bundle: OwnerBundle): ModelPlans {
  const plans = prepared.get(bundle) ?? modelPlans(bundle.manifest)
  prepared.set(bundle, plans)
  return plans
}

/** Serves the bundles in `folder`. */
export async function startEngineParties(folder: string, options: PartiesOptions = {}): Promise<Parties> {
  const catalog = await readCatalog(folder)
  const engine = options.server?.engine ?? (await PlanServer.load(kernels, catalog))
  return startParties({
    ...options,
    catalog,
    server: { ...options.server, engine },
    dealer: { makeEngine: () => new PlanDealer(kernels), ...options.dealer },
  })
}

/** Hashes of the models that a server lists, and of their plans. */
export async function servedPlans(server: string): Promise<PlannedModel[]> {
  const { models } = await fetchListings(server)
  return models.map((listing) => ({ modelHash: listing.hash, ...v.parse(sharedListing, listing) }))
}

/** What an owner must know of the other parties. */
export interface Reachable {
  server: { url: string }
  request: Parties['request']
}

export interface PrivateOwner {
  session: OwnerSession
  /** Of a model that continues texts. */
  readonly ends: Ends
  link: Link
  close(): Promise<void>
}

/** Opens a session for the first model; `connect` makes the link, `fetch` reaches the dealer. */
export async function openOwner(
  parties: Reachable,
  bundle: OwnerBundle,
  connect: () => Promise<Link>,
  fetch?: typeof globalThis.fetch,
): Promise<PrivateOwner> {
  const [{ modelHash, planHash, profile }] = await servedPlans(parties.server.url)
  const agreement = await openSession(parties.request({ modelHash, planHash, profile, fetch }))
  let link: Link | undefined
  try {
    link = await connect()
    const { fSeed } = await greetServer(link, agreement)
    const plans = prepare(bundle)
    const seeds = { server: fSeed, dealer: agreement.splitSeed }
    const session = new OwnerSession({
      plans,
      clear: ownerWeights(kernels, plans, bundle.tensors, seeds),
      kernels,
      device: createCpuProductDevice(kernels, { cacheBytes: 1 << 24 }),
      link,
      seed: agreement.seed,
      stationarySeed: fSeed,
      requestPass: (pass, body) => agreement.requestPass(pass, body),
    })
    const close = async () => {
      await link?.close()
      await agreement.close()
    }
    const { manifest, tensors } = bundle
    return {
      session,
      link,
      close,
      get ends() {
        return new Ends(manifest.config, tensors)
      },
    }
  } catch (error) {
    await link?.close()
    await agreement.close()
    throw error
  }
}

/** How far the worst logits of some passes are from the float model's. */
export interface Answer {
  largestError: number
  /** See `test/support/likeness.ts`. */
  likeness: number
}

/** Runs the parts one after another, each a pass. */
export async function answerOf(
  { session, ends }: PrivateOwner,
  bundle: Bundle,
  parts: readonly number[][],
): Promise<Answer> {
  const float = floatModel(bundle.manifest.config, bundle.tensors)
  let base = 0
  const worst: Answer = { largestError: 0, likeness: 1 }
  for (const part of parts) {
    const hidden = await session.run(base, ends.embed(part, base), { next: true })
    base += part.length
    const expected = float.forward(part)
    const got = ends.logits(hidden)
    worst.largestError = Math.max(worst.largestError, ...got.map((v, i) => Math.abs(v - expected[i])))
    worst.likeness = Math.min(worst.likeness, likeness(got, expected))
  }
  return worst
}

/** The largest difference of a logit from the float model's. */
export const largestError = async (...of: Parameters<typeof answerOf>): Promise<number> =>
  (await answerOf(...of)).largestError
