/** The model server's side of one session: runs each pass as its messages come in. */
import type { Kernels } from '../../../kernels/kernels.ts'
import type { Link } from '../../../transport/link.ts'
import { RowCache } from '../cache.ts'
import { joined } from '../correlations/rope.ts'
import { planDealtBytes } from '../cost.ts'
import { Prg } from '../prg.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { PartyPass } from '../runners/party.ts'
import { aheadBytes, PipelinedPass } from '../runners/pipelined.ts'
import type { Schedule } from '../schedule.ts'
import type { Shape } from '../shape.ts'
import type { HeldWeights } from '../weights/held.ts'
import { type Auditor, AuditTrail, type HashedPass } from './audit.ts'
import { MaterialReader } from './material-stream.ts'
import type { ModelPlans } from './model-plan.ts'
import { passBinding } from './pass-binding.ts'
import { decodePass, encodePass, PassError, type PassMessage, SerialGuard } from './pass-messages.ts'
import { type PassScheduler, type Turn, undisturbed } from './turn.ts'

/** A session's material at the server. */
export interface MaterialSource {
  /** The next chunk of a pass, in the dealer's order. Rejects with `SessionError` after the last, and on dealer loss. */
  next(pass: number): Promise<Uint8Array>
  /** The owner has begun a pass here: its material may be dealt. A source that has it all need not be told. */
  begun?(pass: number): void
  /** Burns what is left of a pass, arrived or not. */
  discard(pass: number): void
}

interface Running {
  readonly shape: Shape
  readonly rowChunks: readonly Shape[]
  /** What the owner has sent ahead, in parts, and how many bytes of it are still to come. */
  readonly ahead: Uint8Array[]
  missing: number
  readonly schedule: Schedule
  readonly material: MaterialReader
  /** Of each message: its share of the bytes that are dealt for the pass. */
  readonly cost: number
  party?: PipelinedPass
  /** Of the server's masks. */
  key?: Uint8Array
  /** Of the material so far, where passes may be audited. */
  hash?: HashedPass
}

/** Who says when a session may go on, and what its turns go by: its owner's address, and its own name. */
export interface Turns {
  readonly scheduler: PassScheduler
  readonly peer: string
  readonly session: string
}

export interface ServerSessionOptions {
  /** With whom the session shares the thread; without, it has the thread to itself. */
  readonly turns?: Turns
  /** Deals passes again that their owner shows. */
  readonly auditor?: Auditor
}

/** Passes that may wait for their input at once. */
const PENDING = 4

/** Runs passes as their messages come, one at a time; at most four are open. */
export class ServerSession {
  readonly #plans: ModelPlans
  readonly #kernels: Kernels
  readonly #clear: HeldWeights
  readonly #link: Link
  readonly #source: MaterialSource
  readonly #turns: Turns | undefined
  readonly #cache: RowCache
  readonly #guard: SerialGuard
  readonly #passes = new Map<number, Running>()
  #lastPass = 0
  /** Positions whose keys and values are complete. */
  #cached = 0
  readonly #auditor?: Auditor
  readonly #trail?: AuditTrail

  constructor(
    plans: ModelPlans,
    kernels: Kernels,
    clear: HeldWeights,
    link: Link,
    source: MaterialSource,
    { turns, auditor }: ServerSessionOptions = {},
  ) {
    this.#turns = turns
    this.#plans = plans
    this.#kernels = kernels
    this.#clear = clear
    this.#link = link
    this.#source = source
    this.#cache = new RowCache(plans.config.context)
    this.#guard = new SerialGuard(plans.config.context, plans.rowCounts)
    this.#auditor = auditor
    this.#trail = auditor && new AuditTrail(plans, auditor)
  }

  /** Serves passes until the link closes. Rejects with `PassError`, `MessageError` or the link's error. */
  async run(): Promise<void> {
    for (;;) {
      const message = decodePass(await this.#link.receive())
      if (message.kind === 'begin') this.#begin({ ...message, shape: this.#plans.shapeOf(message.shape) })
      else if (message.kind === 'abandon') this.#abandon(message.pass)
      else if (message.kind === 'more') this.#more(message)
      else if (message.kind === 'data') await this.#data(message)
      else if (message.kind === 'audit') await this.#audit(message)
      else throw new PassError('out-of-turn', 'A verdict comes from the server.')
    }
  }

  #begin(message: Extract<PassMessage, { kind: 'begin' }>): void {
    if (message.pass <= this.#lastPass)
      throw new PassError('replayed', `Pass ${message.pass} was begun before.`)
    if (this.#passes.size >= PENDING)
      throw new PassError('out-of-turn', 'Too many passes wait for their input.')
    this.#guard.admit(message.shape)
    this.#lastPass = message.pass
    this.#source.begun?.(message.pass)
    const { plan, schedule } = this.#plans.of(message.shape)
    const { shape } = message
    const rowChunks = rowChunksOf(shape)
    const next = () => this.#source.next(message.pass)
    const onBytes = (bytes: Uint8Array, isKept: boolean) => running.hash?.update(bytes, isKept)
    const material = new MaterialReader(plan, rowChunks, this.#kernels, next, onBytes)
    const missing = aheadBytes(schedule, rowChunks)
    const cost = planDealtBytes(rowChunks, plan) / schedule.messages.length
    const running: Running = { shape, rowChunks, ahead: [], missing, schedule, material, cost }
    this.#keep(running, message.payload)
    this.#passes.set(message.pass, running)
  }

  #more({ pass, payload }: Extract<PassMessage, { kind: 'more' }>): void {
    const running = this.#passes.get(pass)
    if (!running) throw new PassError('out-of-turn', `Pass ${pass} is not open.`)
    this.#keep(running, payload)
  }

  /** Keeps a part of what is sent ahead: together no more than the plan declares. */
  #keep(running: Running, part: Uint8Array): void {
    if (part.length > running.missing)
      throw new PassError('malformed', 'What was sent ahead of a pass has the wrong length.')
    running.ahead.push(part)
    running.missing -= part.length
  }

  #abandon(pass: number): void {
    if (this.#passes.delete(pass)) this.#source.discard(pass)
  }

  async #data({ pass, rowChunk, index, payload }: Extract<PassMessage, { kind: 'data' }>): Promise<void> {
    const running = this.#passes.get(pass)
    if (!running) throw new PassError('out-of-turn', `Pass ${pass} is not open.`)
    if ([...this.#passes.values()].some((other) => other.party && other !== running))
      throw new PassError('out-of-turn', `Pass ${pass} goes on while another one is under way.`)
    running.party ??= await this.#open(running)
    const { party, material, shape } = running
    const due = party.awaited(rowChunk)
    if (due !== index)
      throw new PassError(
        'out-of-turn',
        `Message ${index} of row chunk ${rowChunk} came where ${due ?? 'none'} was due.`,
      )
    if (party.isAhead(rowChunk))
      throw new PassError(
        'out-of-turn',
        `Row chunk ${rowChunk} of pass ${pass} is too far ahead of the other.`,
      )
    party.accept(rowChunk, payload)
    await this.#inTurn(running, (turn) =>
      party.go({
        before: async (of, step) => {
          await turn.next()
          if (!material.has(of, step)) await turn.waiting(material.reach(of, step))
        },
        products: (made) => (shape.rows > 1 ? turn.computing(made) : made),
        send: (of, message, bytes) =>
          turn.waiting(
            this.#link.send(
              encodePass({ kind: 'data', pass, rowChunk: of, index: message, payload: bytes }),
              !party.isOver,
            ),
          ),
      }),
    )
    if (!party.isOver) return
    const { key, hash } = running
    if (key && hash) this.#trail?.finish(pass, shape, key, hash)
    this.#cached = shape.base + shape.rows
    this.#passes.delete(pass)
    this.#source.discard(pass)
  }

  /** What can be done with a message, or an audit, when it is this session's turn. Rejects with what the work does. */
  #inTurn<T>({ shape, cost }: Pick<Running, 'shape' | 'cost'>, work: (turn: Turn) => Promise<T>): Promise<T> {
    if (!this.#turns) return work(undisturbed)
    const { scheduler, peer, session } = this.#turns
    return new Promise((resolve, reject) =>
      scheduler.submit({
        peer,
        session,
        cost,
        rows: shape.rows,
        run: (turn) => work(turn).then(resolve, reject),
      }),
    )
  }

  /** Rejects with `PassError` after the verdict where the pass was dealt wrongly. */
  async #audit({ pass, payload: shown }: Extract<PassMessage, { kind: 'audit' }>): Promise<void> {
    if (!this.#trail || !this.#auditor)
      throw new PassError('out-of-turn', 'The passes of this model are not audited.')
    const isRight = await this.#trail.audit(pass, shown, (shape, work) => {
      const { plan } = this.#plans.of(shape)
      return this.#inTurn({ shape, cost: planDealtBytes(rowChunksOf(shape), plan) }, work)
    })
    const payload = await this.#auditor.sign(pass, isRight)
    await this.#link.send(encodePass({ kind: 'verdict', pass, isRight, payload }), false)
    if (!isRight) throw new PassError('audit-failed', `The dealer dealt pass ${pass} wrongly.`)
  }

  async #open(running: Running): Promise<PipelinedPass> {
    const { shape, rowChunks, schedule, material, ahead, missing } = running
    if (missing > 0) throw new PassError('malformed', 'What was sent ahead of a pass has the wrong length.')
    if (shape.base > this.#cached)
      throw new PassError(
        'out-of-turn',
        `A pass starts at ${shape.base}, but only ${this.#cached} rows are cached.`,
      )
    // A pass that is abandoned half way leaves rows from its base on unfit for use.
    this.#cached = shape.base
    // Nothing has been said of this pass yet, and nothing is where the three mean different ones.
    running.hash = this.#trail?.begin(shape)
    const key = await material.key(await passBinding(this.#plans, shape))
    running.key = key
    const { plan } = this.#plans.of(shape)
    const common = {
      role: 'server' as const,
      kernels: this.#kernels,
      masks: new Prg(this.#kernels, key),
      cache: this.#plans.cacheOf(shape, this.#cache),
      weights: this.#clear.weights,
      biases: this.#clear.biases,
      forgets: true,
    }
    const parties = rowChunks.map((rowChunk, i) => {
      const correlations = material.corrections[i]
      return new PartyPass(plan, schedule, rowChunk, { ...common, correlations })
    })
    const pass = new PipelinedPass(schedule, 'server', parties)
    pass.acceptAhead(joined(ahead.splice(0)), schedule)
    return pass
  }
}
