/** The dealer's side of one session: deals passes in order, and remembers only masks. */
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import { RowCache } from '../cache.ts'
import { deriveKey, passKeys } from '../prg.ts'
import { dealPass } from './deal-pass.ts'
import { ChunkWriter, KEY_BYTES } from './material-stream.ts'
import type { ModelPlans } from './model-plan.ts'
import { decodeRequest, SerialGuard } from './pass-messages.ts'
import { type Turn, undisturbed } from './turn.ts'

/** Purpose of what the owner's keys of passes come from, under the session seed. */
export const MASK_KEY = 'owner masks'

/** Of a conversation it keeps the masks of cached keys and values, and which serial comes next. */
export class SessionDealer {
  readonly #plans: ModelPlans
  readonly #kernels: Kernels
  readonly #differences: ReadonlyMap<string, Matrix>
  /** What the owner's keys of passes come from. */
  readonly #root: Uint8Array
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
    this.#root = deriveKey(kernels, seed, MASK_KEY)
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
    const out = new ChunkWriter(sink)
    const keys = {
      owner: passKeys(this.#kernels, this.#root, shape.serial),
      server: this.#randomKey(),
    }
    const dealing = {
      plans: this.#plans,
      kernels: this.#kernels,
      differences: this.#differences,
      keys,
      cache: this.#cache,
    }
    await dealPass(dealing, shape, (bytes) => out.write(bytes), turn)
    await out.flush()
  }
}
