/** One session whose passes another thread deals. */
import { proxy, transfer } from 'comlink'
import { SessionError } from '../../../../handshake/errors.ts'
import { Queue } from '../../../../transport/queue.ts'
import type { DealerPasses, MaterialSink } from '../../agreement/parties.ts'
import type { PassCost } from '../../cost.ts'
import { CHUNK_BYTES } from '../../session/material-stream.ts'
import type { ModelPlans } from '../../session/model-plan.ts'
import { requestCost } from '../../session/pass-cost.ts'
import { type Turn, undisturbed } from '../../session/turn.ts'
import { check, type Outcome, type SlabSink } from './api.ts'
import type { DealingThread } from './thread.ts'

export interface ThreadPassesParts {
  readonly thread: DealingThread
  readonly plans: ModelPlans
  readonly engine: number
  readonly session: number
  readonly modelHash: string
  readonly seed: Uint8Array
}

/** A pass that is being dealt: what has come of it, and the slabs that the thread waits to have back. */
interface Dealing {
  readonly number: number
  readonly slabs: Queue
  readonly held: { resolve(memory: ArrayBuffer): void; reject(error: Error): void }[]
}

export class ThreadPasses implements DealerPasses {
  readonly #parts: ThreadPassesParts
  readonly #opened: Promise<Outcome<void>>
  #dealing: Dealing | undefined
  #passes = 0
  #isClosed = false

  constructor(parts: ThreadPassesParts) {
    this.#parts = parts
    const { thread, engine, session, modelHash, seed } = parts
    const sink: SlabSink = (number, slab) => this.#take(number, slab)
    this.#opened = thread.answer(thread.remote.open(engine, session, modelHash, seed, proxy(sink)))
    // Whoever deals first hears of it.
    this.#opened.catch(() => undefined)
    thread.sessions++
  }

  costOf(request: Uint8Array): PassCost {
    return requestCost(this.#parts.plans, request)
  }

  async deal(request: Uint8Array, sink: MaterialSink, turn: Turn = undisturbed): Promise<void> {
    const { thread, session } = this.#parts
    const { bytes, rowsIn } = this.costOf(request)
    check(await turn.computing(this.#opened))
    if (this.#isClosed) throw over()
    const dealing: Dealing = { number: ++this.#passes, slabs: new Queue(), held: [] }
    this.#dealing = dealing
    const { number, slabs, held } = dealing
    const dealt = thread.answer(thread.remote.deal(session, number, request, bytes, rowsIn))
    dealt.then(
      () => slabs.end(),
      (error) => slabs.end(error),
    )
    try {
      const each = slabs[Symbol.asyncIterator]()
      for (
        let next = await turn.computing(each.next());
        !next.done;
        next = await turn.computing(each.next())
      ) {
        const slab = next.value
        for (let at = 0; at < slab.length; at += CHUNK_BYTES) {
          await sink(slab.subarray(at, at + CHUNK_BYTES))
          await turn.next()
        }
        held.shift()?.resolve(slab.buffer as ArrayBuffer)
      }
      check(await dealt)
    } finally {
      this.#stop(dealing)
    }
  }

  /** The thread forgets the session. */
  close(): void {
    if (this.#isClosed) return
    const { thread, session } = this.#parts
    this.#isClosed = true
    thread.sessions--
    if (this.#dealing) this.#stop(this.#dealing)
    if (!thread.isLost) void thread.remote.close(session)
  }

  #take(number: number, slab: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
    const dealing = this.#dealing
    if (dealing?.number !== number) return Promise.reject(over())
    const back = new Promise<ArrayBuffer>((resolve, reject) => dealing.held.push({ resolve, reject }))
    dealing.slabs.push(slab)
    return back.then((memory) => transfer(memory, [memory]))
  }

  /** Nothing more is taken of a pass: the thread hears so instead of having a slab back. */
  #stop(dealing: Dealing): void {
    if (this.#dealing !== dealing) return
    this.#dealing = undefined
    dealing.slabs.end(over())
    for (const { reject } of dealing.held.splice(0)) reject(over())
  }
}

const over = (): SessionError => new SessionError('expired', 'The pass is over.')
