/** The engine's model server: the bundles with their private weights, ready to run sessions. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Identity } from '../../../handshake/crypto.ts'
import { SessionError } from '../../../handshake/errors.ts'
import type { Kernels } from '../../../kernels/kernels.ts'
import { loadPublic } from '../../../model/files/bundle.ts'
import type { Bundle } from '../../../model/files/bundle-node.ts'
import type { CatalogEntry } from '../../../model/files/catalog.ts'
import type { Link } from '../../../transport/link.ts'
import type { PlannedModel, RegistrationParts, ServerEngine } from '../agreement/parties.ts'
import type { Opener } from '../agreement/seal.ts'
import { loadSplitBundle } from '../custody/split-bundle.ts'
import { deriveKey } from '../prg.ts'
import { MessageError } from '../runners/party.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import type { Auditor } from '../session/audit.ts'
import { type ModelPlans, modelPlans, planHash } from '../session/model-plan.ts'
import { PassError } from '../session/pass-messages.ts'
import { type MaterialSource, ServerSession } from '../session/server-session.ts'
import { type HeldWeights, loadWeights } from '../weights/held.ts'
import { refuseTooLarge } from '../weights/room.ts'
import { serverPieces } from '../weights/split.ts'
import { packedDifference } from '../weights/stationary.ts'
import { auditorOf } from './auditor.ts'
import { type LoadEvents, servedWeights } from './served-weights.ts'

/** An address whose passes already wait for so long opens no more sessions. */
const QUEUE_MS = 10_000

interface Model {
  served: PlannedModel
  plans: ModelPlans
  clear: HeldWeights
  header: Uint8Array
  /**
   * New with every start of the server: F then never outlives an encoding of the weights. In a split model G's, which
   * belongs to the splitting.
   */
  fSeed: Uint8Array
}

const servedAs = async (modelHash: string, plans: ModelPlans): Promise<PlannedModel> => ({
  modelHash,
  planHash: await planHash(plans),
  profile: plans.model.profile,
})

/** The server's split bundle: public tensors, and pieces of the private matrices. */
async function loadSplit(kernels: Kernels, entry: CatalogEntry, opener?: Opener): Promise<Model> {
  const { dir, hash, files } = entry
  if (!opener) throw new Error(`${dir} is a split bundle, and there is no key to open its seed.`)
  const file = async (name: string) => new Response(new Uint8Array(readFileSync(join(dir, name))))
  const { manifest, tensors } = await loadPublic(file, { expectedHash: hash })
  const plans = modelPlans(manifest)
  refuseTooLarge(manifest.name, plans.privateWeights())
  const served = await servedAs(hash, plans)
  const split = await loadSplitBundle(dir, { holder: 'server', ...served }, opener)
  const clear = loadWeights(kernels, plans.model.encode(tensors, ['public']))
  const beta = split.open(kernels, plans.anyPlan)
  try {
    const pieces = serverPieces(kernels, plans.anyPlan, split.seed, beta.read)
    for (const [name, matrix] of pieces.weights) clear.weights.set(name, matrix)
    for (const [name, bias] of pieces.biases) clear.biases.set(name, bias)
  } finally {
    beta.close()
  }
  return { served, plans, clear, header: files.get('manifest.json')!.bytes, fSeed: split.seed }
}

/**
 * Holds models' weights, and runs sessions with them. F's seed is new at every start; of a split model it is G's, which is
 * its splitting's.
 */
export class PlanServer implements ServerEngine {
  readonly #kernels: Kernels
  readonly #byHash: Map<string, Model>
  /** A message's work is a matter of a millisecond or so, unless many come. */
  readonly #scheduler = new Scheduler({ isEager: true, queueMs: QUEUE_MS })
  #sessions = 0

  private constructor(kernels: Kernels, models: Model[]) {
    this.#kernels = kernels
    this.#byHash = new Map(models.map((model) => [model.served.modelHash, model]))
  }

  /**
   * Loads and checks whole bundles, from their folders unless `read` says otherwise, and the server's split bundles, whose
   * seeds `identity` opens; it signs encoded weights, too, and without it none are kept. Throws a plain explanation where one
   * cannot be served. `events` tells of each model what takes long.
   */
  static async load(
    kernels: Kernels,
    catalog: readonly CatalogEntry[],
    read?: (dir: string) => Promise<Pick<Bundle, 'manifest' | 'tensors'>>,
    identity?: Identity,
    events?: (name: string) => LoadEvents,
  ): Promise<PlanServer> {
    const models: Model[] = []
    for (const entry of catalog) {
      const { files, hash } = entry
      if (entry.manifest.custody) {
        models.push(await loadSplit(kernels, entry, identity))
        continue
      }
      const inMemory = await read?.(entry.dir)
      const plans = modelPlans(inMemory?.manifest ?? entry.manifest)
      refuseTooLarge(entry.name, plans.privateWeights())
      const clear = inMemory
        ? loadWeights(kernels, plans.model.encode(inMemory.tensors, ['public', 'private']))
        : await servedWeights(kernels, entry, plans, { identity, ...events?.(entry.name) })
      models.push({
        served: await servedAs(hash, plans),
        plans,
        clear,
        header: files.get('manifest.json')!.bytes,
        fSeed: new Uint8Array(randomBytes(32)),
      })
    }
    return new PlanServer(kernels, models)
  }

  models(): PlannedModel[] {
    return [...this.#byHash.values()].map((model) => model.served)
  }

  registration(modelHash: string): RegistrationParts {
    const model = this.#find(modelHash)
    const bytes = model.plans
      .privateWeights()
      .reduce((sum, { k, n, ring }) => sum + Math.ceil((k * n * ring) / 8), 0)
    return { header: model.header, tensors: this.#differences(model), bytes }
  }

  fSeed(modelHash: string): Uint8Array {
    return this.#find(modelHash).fSeed
  }

  check(peer: string): void {
    this.#scheduler.check(peer)
  }

  async open(
    modelHash: string,
    link: Link,
    material: MaterialSource,
    peer: string,
    sign?: Auditor['sign'],
  ): Promise<void> {
    const { plans, clear, fSeed } = this.#find(modelHash)
    const turns = { scheduler: this.#scheduler, peer, session: String(++this.#sessions) }
    const key = deriveKey(this.#kernels, fSeed, 'stationary')
    const auditor =
      sign && !plans.isSplit ? auditorOf(this.#kernels, plans, clear.weights, key, sign) : undefined
    try {
      await new ServerSession(plans, this.#kernels, clear, link, material, { turns, auditor }).run()
    } catch (error) {
      if (!(error instanceof PassError || error instanceof MessageError)) throw error
      const code = error.code === 'pass-mismatch' || error.code === 'audit-failed' ? error.code : 'malformed'
      throw new SessionError(code, error.message, { cause: error })
    }
  }

  #find(modelHash: string): Model {
    const model = this.#byHash.get(modelHash)
    if (!model) throw new SessionError('unknown-model', 'The server has no such model.')
    return model
  }

  /** b = W - F of every private weight, made one at a time: together they are larger than the model. */
  async *#differences({ plans, clear, fSeed }: Model): AsyncGenerator<Uint8Array> {
    const key = deriveKey(this.#kernels, fSeed, 'stationary')
    for (const [index, use] of plans.privateWeights().entries()) {
      const weight = clear.weights.get(use.name)
      if (!weight) throw new SessionError('internal', `The weight ${use.name} is not loaded.`)
      yield packedDifference(this.#kernels, key, index, use, weight)
      // Gives sockets and timers a turn between two large matrices.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
