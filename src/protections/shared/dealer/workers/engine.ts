/** A dealer's engine whose dealing is done in other threads: this one cuts what they made into chunks, and sends those. */
import { proxy, transfer } from 'comlink'
import { SessionError } from '../../../../handshake/errors.ts'
import { Queue } from '../../../../transport/queue.ts'
import type { DealerEngine, DealerPasses } from '../../agreement/parties.ts'
import type { SplitBundle } from '../../custody/split-bundle.ts'
import { type ModelPlans, modelPlans } from '../../session/model-plan.ts'
import { readManifest } from '../read-manifest.ts'
import { check, type NextTensor } from './api.ts'
import { ThreadPasses } from './passes.ts'
import type { DealingThread } from './thread.ts'

/** Bytes of tensors that may wait for one thread before the registration does. */
const WAITING_BYTES = 32 * 1024 * 1024

export interface ThreadedDealerParts {
  readonly threads: readonly DealingThread[]
  readonly serverKey: string
  readonly splitBundles: ReadonlyMap<string, SplitBundle>
  /** Numbers that no other engine or session of the process has. */
  nextNumber(): number
}

/** Every thread has the models of the server; each session is dealt for by one. */
export class ThreadedDealer implements DealerEngine {
  readonly failed: Promise<Error>
  readonly #parts: ThreadedDealerParts
  readonly #number: number
  #forget: (() => void)[] = []
  readonly #plans = new Map<string, ModelPlans>()

  constructor(parts: ThreadedDealerParts) {
    this.#parts = parts
    this.#number = parts.nextNumber()
    this.failed = new Promise((resolve) => {
      this.#forget = parts.threads.map((thread) => thread.onEnd(resolve))
    })
    for (const { remote } of parts.threads) void remote.begin(this.#number, parts.serverKey)
  }

  async registerModel(
    modelHash: string,
    header: Uint8Array,
    tensors: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const queues = this.#parts.threads.map(() => new Queue())
    const registered = this.#parts.threads.map((thread, i) =>
      this.#register(thread, modelHash, header, queues[i]).finally(() => queues[i].end()),
    )
    const all = Promise.all(registered)
    all.catch(() => undefined)
    try {
      for await (const tensor of tensors) {
        for (const queue of queues) queue.push(tensor)
        await Promise.all(queues.map((queue) => queue.room(WAITING_BYTES)))
      }
      for (const queue of queues) queue.end()
    } catch (error) {
      for (const queue of queues) queue.end(error as Error)
      throw error
    }
    const [hash] = await all
    this.#plans.set(modelHash, modelPlans(readManifest(header)))
    return hash
  }

  open(modelHash: string, seed: Uint8Array): DealerPasses {
    const plans = this.#plans.get(modelHash)
    if (!plans) throw new SessionError('unknown-model', 'The model is not registered.')
    const { threads, nextNumber } = this.#parts
    const thread = threads.reduce((least, each) => (each.sessions < least.sessions ? each : least))
    return new ThreadPasses({ thread, plans, engine: this.#number, session: nextNumber(), modelHash, seed })
  }

  splitSeed(modelHash: string): Uint8Array | undefined {
    return this.#plans.has(modelHash) ? this.#parts.splitBundles.get(modelHash)?.seed : undefined
  }

  close(): void {
    for (const forget of this.#forget) forget()
    for (const { remote, isLost } of this.#parts.threads) if (!isLost) void remote.end(this.#number)
  }

  async #register(
    thread: DealingThread,
    modelHash: string,
    header: Uint8Array,
    queue: Queue,
  ): Promise<string> {
    const tensors = queue[Symbol.asyncIterator]()
    const next: NextTensor = async () => {
      const { value } = await tensors.next()
      if (!value) return {}
      // Another thread has the same: what is transferred is a copy.
      const tensor = value.slice()
      return transfer({ tensor }, [tensor.buffer])
    }
    const outcome = await thread.answer(thread.remote.register(this.#number, modelHash, header, proxy(next)))
    check(outcome)
    return outcome.result ?? ''
  }
}
