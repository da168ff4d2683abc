/** The model server's engine: holds the private weights and runs sessions on them. */
import type { Kernels } from '../kernels/kernels.ts'
import { createNodeKernels } from '../kernels/node/kernels.ts'
import { loadBundle } from '../model/bundle-node.ts'
import { type ClearWeights, difference, loadWeights } from '../protocol/compile/weights.ts'
import { deriveKey } from '../protocol/prg.ts'
import { type ModelPlans, modelPlans, planHash } from '../protocol/session/model-plan.ts'
import { ServerSession } from '../protocol/session/server-session.ts'
import { randomBytes } from '../session/crypto.ts'
import { utf8 } from '../session/encoding.ts'
import type { MaterialSource, Registration, ServedModel, ServerEngine } from '../session/parties.ts'
import type { Link } from '../transport/link.ts'

/** The profile that sessions of this engine run. */
export const PROFILE = 'fixed'

interface Loaded extends ServedModel {
  readonly manifest: object
  readonly plans: ModelPlans
  readonly clear: ClearWeights
  /** Fresh in every process, so F is never used for two encodings. */
  readonly stationarySeed: Uint8Array
}

export class ModelServerEngine implements ServerEngine {
  readonly #kernels: Kernels
  readonly #models = new Map<string, Loaded>()

  private constructor(kernels: Kernels) {
    this.#kernels = kernels
  }

  /** Loads and encodes the bundles of these folders. Rejects with `BundleError`, `ProfileError` or `WeightError`. */
  static async load(
    folders: readonly string[],
    kernels: Kernels = createNodeKernels(),
  ): Promise<ModelServerEngine> {
    const engine = new ModelServerEngine(kernels)
    for (const folder of folders) {
      const { manifest, hash, tensors } = await loadBundle(folder)
      const plans = modelPlans(manifest)
      engine.#models.set(hash, {
        modelHash: hash,
        planHash: await planHash(plans),
        profile: PROFILE,
        manifest,
        plans,
        clear: loadWeights(kernels, manifest.config, tensors, () => true),
        stationarySeed: randomBytes(32),
      })
    }
    return engine
  }

  models(): readonly ServedModel[] {
    return [...this.#models.values()].map(({ modelHash, planHash, profile }) => ({
      modelHash,
      planHash,
      profile,
    }))
  }

  registration(modelHash: string): Registration {
    const model = this.#model(modelHash)
    return { header: utf8(JSON.stringify(model.manifest)), tensors: this.#differences(model) }
  }

  fSeed(modelHash: string): Uint8Array {
    return this.#model(modelHash).stationarySeed
  }

  async open(modelHash: string, link: Link, material: MaterialSource): Promise<void> {
    const { plans, clear } = this.#model(modelHash)
    await new ServerSession(plans, this.#kernels, clear, link, material).run()
  }

  /** Each private weight's b = W - F, packed, in plan order. */
  async *#differences(model: Loaded): AsyncIterable<Uint8Array> {
    const key = deriveKey(this.#kernels, model.stationarySeed, 'stationary')
    for (const [i, use] of model.plans.privateWeights().entries()) {
      const w = model.clear.encoded.get(use.name)
      if (!w) throw new Error(`weight '${use.name}' is not loaded`)
      yield this.#kernels.pack(difference(this.#kernels, key, i, use, w), use.ring)
    }
  }

  #model(hash: string): Loaded {
    const model = this.#models.get(hash)
    if (!model) throw new Error('no such model')
    return model
  }
}
