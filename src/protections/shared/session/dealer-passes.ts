/** The dealer's side of one session: deals passes in order, and remembers only masks. */
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import { RowCache } from '../cache.ts'
import { deriveKey, Prg } from '../prg.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { DealerPass } from '../runners/dealer.ts'
import { ChunkWriter, KEY_BYTES } from './material-stream.ts'
import type { ModelPlans } from './model-plan.ts'
import { passBinding } from './pass-binding.ts'
import { decodeRequest, SerialGuard } from './pass-messages.ts'
import { type Turn, undisturbed } from './turn.ts'

/** Purpose of the owner's mask key under the session seed. */
export const MASK_KEY = 'owner masks'

/** Of a conversation it keeps the masks of cached keys and values, and which serial comes next. */
export class SessionDealer {
  readonly #plans: ModelPlans
  readonly #kernels: Kernels
  readonly #differences: ReadonlyMap<string, Matrix>
  readonly #owner: Prg
  readonly #cache: RowCache
  readonly #guard: SerialGuard
  readonly #randomKey: () => Uint8Array

  constructor(
    plans: ModelPlans,
    kernels: Kernels,
    differences: ReadonlyMap<string, Matrix>,
    seed: Uint8Array,
    randomKey = () => crypto.getRandomValues(new Uint8Array(KEY_BYTES)),
  ) {
    this.#plans = plans
    this.#kernels = kernels
    this.#differences = differences
    this.#owner = new Prg(kernels, deriveKey(kernels, seed, MASK_KEY))
    this.#cache = new RowCache(plans.config.context)
    this.#guard = new SerialGuard(plans.config.context, plans.rowCounts)
    this.#randomKey = randomKey
  }

  /** Deals the requested pass into `sink`, piece by piece, and lets others have their `turn` between them. Throws `PassError` on rows used before. */
  async deal(
    request: Uint8Array,
    sink: (chunk: Uint8Array) => Promise<void>,
    turn: Turn = undisturbed,
  ): Promise<void> {
    const shape = this.#plans.shapeOf(decodeRequest(request))
    this.#guard.admit(shape)
    const { plan } = this.#plans.of(shape)
    const key = this.#randomKey()
    const out = new ChunkWriter(sink)
    await out.write(await passBinding(this.#plans, shape))
    await out.write(key)
    const own = {
      kernels: this.#kernels,
      owner: this.#owner,
      server: new Prg(this.#kernels, key),
      differences: this.#differences,
      cache: this.#plans.cacheOf(shape, this.#cache),
    }
    const rowChunks = rowChunksOf(shape).map((rowChunk) => new DealerPass(plan, rowChunk, own))
    for (const step of plan.steps)
      for (const rowChunk of rowChunks) {
        const products = rowChunk.multiplyAhead(step)
        if (products) await turn.computing(products)
        for (const part of rowChunk.dealStep(step)) {
          await out.write(part)
          await turn.next()
        }
      }
    await out.flush()
  }
}
