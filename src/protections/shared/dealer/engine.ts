/** The engine's dealer: models as registered by one server, and the sessions that deal for them. */

import { SessionError } from '../../../handshake/errors.ts'
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import { modelHash as hashOf } from '../../../model/files/manifest.ts'
import type { DealerEngine, DealerPasses } from '../agreement/parties.ts'
import type { SplitBundle } from '../custody/split-bundle.ts'
import type { WeightUse } from '../plan.ts'
import { SessionDealer } from '../session/dealer-passes.ts'
import { type ModelPlans, modelPlans, planHash } from '../session/model-plan.ts'
import { requestCost, typedPassError } from '../session/pass-cost.ts'
import { refuseTooLarge } from '../weights/room.ts'
import { dealerPieces } from '../weights/split.ts'
import { readManifest } from './read-manifest.ts'

/**
 * Digits of b that a dealer's kernels keep beside b itself: a small model's. Of a large one b rests once, and what is dealt
 * is no party's to wait for.
 */
export const DEALER_DIGIT_BYTES = 64 << 20

/** Elements that are unpacked at a time. */
const PIECE = 1 << 18

interface Model {
  plans: ModelPlans
  /** b = W - F of every private weight by name, and the dealer's pieces of every split one. */
  differences: Map<string, Matrix>
  split?: SplitBundle
}

/** Deals by the plans that it makes itself of the manifests which its server registers. */
export class PlanDealer implements DealerEngine {
  readonly #models = new Map<string, Model>()
  readonly #kernels: Kernels
  readonly #splitBundles: ReadonlyMap<string, SplitBundle>
  readonly #serverKey?: string

  /**
   * @param splitBundles the dealer's split bundles, by the models' hashes
   * @param serverKey identity key of the server that it deals for, base64url: any other that registered a split model
   *   could, as a user of its own, have the dealer's pieces from what is dealt
   */
  constructor(
    kernels: Kernels,
    splitBundles: ReadonlyMap<string, SplitBundle> = new Map(),
    serverKey?: string,
  ) {
    this.#kernels = kernels
    this.#splitBundles = splitBundles
    this.#serverKey = serverKey
  }

  /** The header is the bundle's public manifest; resolves with the hash of the plan that the dealer makes of it. */
  async registerModel(
    modelHash: string,
    header: Uint8Array,
    tensors: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const manifest = readManifest(header)
    if ((await hashOf(manifest)) !== modelHash)
      throw new SessionError('unknown-model', 'The manifest has another hash.')
    const plans = modelPlans(manifest)
    refuseTooLarge(manifest.name, plans.privateWeights())
    const split = this.#splitBundles.get(modelHash)
    if (plans.isSplit && !split)
      throw new SessionError(
        'split-bundle-missing',
        `The dealer has no split bundle of the model '${manifest.name}'.`,
      )
    if (split && split.server !== this.#serverKey)
      throw new SessionError('split-bundle-missing', `'${manifest.name}' was split for another model server.`)
    const differences = split ? this.#pieces(plans, split) : new Map<string, Matrix>()
    const uses = plans.privateWeights()
    let at = 0
    for await (const bytes of tensors) {
      const use = uses[at++]
      if (!use)
        throw new SessionError('malformed', 'More tensors were registered than the plan has private weights.')
      differences.set(use.name, this.#load(use, bytes))
    }
    if (at < uses.length) throw new SessionError('malformed', 'Tensors are missing from the registration.')
    for (const step of plans.of({ base: 0, rows: 1 }).plan.steps) step.prepare?.()
    this.#free(modelHash)
    this.#models.set(modelHash, { plans, differences, split })
    return planHash(plans)
  }

  open(modelHash: string, seed: Uint8Array): DealerPasses {
    const model = this.#models.get(modelHash)
    if (!model) throw new SessionError('unknown-model', 'The model is not registered.')
    const dealer = new SessionDealer(model.plans, this.#kernels, model.differences, seed)
    return {
      costOf: (request) => requestCost(model.plans, request),
      deal: async (request, sink, turn) => {
        try {
          await dealer.deal(request, sink, turn)
        } catch (error) {
          throw typedPassError(error)
        }
      },
      close: () => seed.fill(0),
    }
  }

  splitSeed(modelHash: string): Uint8Array | undefined {
    return this.#models.get(modelHash)?.split?.seed
  }

  close(): void {
    for (const modelHash of [...this.#models.keys()]) this.#free(modelHash)
  }

  #pieces({ anyPlan }: ModelPlans, split: SplitBundle): Map<string, Matrix> {
    const beta = split.open(this.#kernels, anyPlan)
    try {
      return dealerPieces(this.#kernels, anyPlan, split.seed, beta.read)
    } finally {
      beta.close()
    }
  }

  #load({ k, n, ring, name }: WeightUse, bytes: Uint8Array): Matrix {
    if (bytes.length !== Math.ceil((k * n * ring) / 8)) {
      throw new SessionError('malformed', `The registration of ${name} has the wrong length.`)
    }
    const b = new BigUint64Array(k * n)
    // In pieces of whole bytes, so that the kernels' own memory need not hold all of it twice.
    for (let at = 0; at < b.length; at += PIECE) {
      const count = Math.min(PIECE, b.length - at)
      const packed = bytes.subarray((at * ring) / 8, Math.ceil(((at + count) * ring) / 8))
      b.set(this.#kernels.unpack(packed, ring, count), at)
    }
    return this.#kernels.load(b, k, n)
  }

  #free(modelHash: string): void {
    for (const matrix of this.#models.get(modelHash)?.differences.values() ?? []) matrix.free()
    this.#models.delete(modelHash)
  }
}
