/** The model server's side of one session: runs each pass as its messages come in. */
import type { Kernels } from '../../kernels/kernels.ts'
import type { Link } from '../../transport/link.ts'
import { RowCache } from '../cache.ts'
import type { ClearWeights } from '../compile/weights.ts'
import type { Shape } from '../plan.ts'
import { Prg } from '../prg.ts'
import { PartyPass } from '../runner/party.ts'
import { messageBytes, type Schedule } from '../schedule.ts'
import { MaterialReader } from './material-stream.ts'
import type { ModelPlans } from './model-plan.ts'
import { decodePass, encodePass, PassError, type PassMessage, SerialGuard } from './pass-messages.ts'

/** Dealt material by pass. */
export interface PassMaterial {
  next(pass: number): Promise<Uint8Array>
  discard(pass: number): void
}

interface Running {
  readonly shape: Shape
  /** What the owner has sent ahead, in parts, and how many bytes of it are still to come. */
  readonly ahead: Uint8Array[]
  missing: number
  readonly schedule: Schedule
  readonly material: MaterialReader
  party?: PartyPass
  at: number
}

/** Passes that may wait for their input at once. */
const PENDING = 4

export class ServerSession {
  readonly #plans: ModelPlans
  readonly #kernels: Kernels
  readonly #clear: ClearWeights
  readonly #link: Link
  readonly #source: PassMaterial
  readonly #cache: RowCache
  readonly #guard: SerialGuard
  readonly #passes = new Map<number, Running>()
  #lastPass = 0
  /** Positions whose keys and values are complete. */
  #cached = 0

  constructor(plans: ModelPlans, kernels: Kernels, clear: ClearWeights, link: Link, source: PassMaterial) {
    this.#plans = plans
    this.#kernels = kernels
    this.#clear = clear
    this.#link = link
    this.#source = source
    this.#cache = new RowCache(plans.config.context)
    this.#guard = new SerialGuard(plans.config.context, plans.rowCounts)
  }

  /** Serves passes until the link closes. Rejects with `PassError`, `MessageError` or the link's error. */
  async run(): Promise<void> {
    for (;;) {
      const message = decodePass(await this.#link.receive())
      if (message.kind === 'begin') this.#begin({ ...message, shape: this.#plans.shapeOf(message.shape) })
      else if (message.kind === 'abandon') this.#abandon(message.pass)
      else if (message.kind === 'more') this.#more(message)
      else await this.#data(message)
    }
  }

  #begin(message: Extract<PassMessage, { kind: 'begin' }>): void {
    if (message.pass <= this.#lastPass)
      throw new PassError('replayed', `Pass ${message.pass} was begun before.`)
    if (this.#passes.size >= PENDING)
      throw new PassError('out-of-turn', 'Too many passes wait for their input.')
    this.#guard.admit(message.shape)
    this.#lastPass = message.pass
    const { plan, schedule } = this.#plans.of(message.shape)
    const material = new MaterialReader(plan, message.shape, this.#kernels, () =>
      this.#source.next(message.pass),
    )
    const { shape } = message
    const missing = messageBytes(shape, schedule.messages[0])
    const running: Running = { shape, ahead: [], missing, schedule, material, at: 0 }
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

  async #data(message: Extract<PassMessage, { kind: 'data' }>): Promise<void> {
    const running = this.#passes.get(message.pass)
    if (!running) throw new PassError('out-of-turn', `Pass ${message.pass} is not open.`)
    running.party ??= await this.#open(running)
    const { party, schedule, material } = running
    const program = schedule.programs.server
    let awaiting: Uint8Array | undefined = message.payload
    while (running.at < program.length) {
      const i = program[running.at]
      if (i.kind === 'receive') {
        if (!awaiting) return
        if (i.message !== message.index)
          throw new PassError('out-of-turn', `Message ${message.index} came where ${i.message} was due.`)
        party.accept(i.message, awaiting)
        awaiting = undefined
      } else if (i.kind === 'run') {
        if (!material.corrections.has(i.step)) await material.reach(i.step)
        if (i.step.matmul) await party.multiplyAhead(i.step)
        party.runStep(i.step.id)
      } else {
        const payload = party.compose(i.message)
        const isLast = running.at === program.length - 1
        await this.#link.send(
          encodePass({ kind: 'data', pass: message.pass, index: i.message, payload }),
          !isLast,
        )
      }
      running.at++
    }
    const { shape } = running
    this.#cached = shape.base + shape.rows
    this.#passes.delete(message.pass)
    this.#source.discard(message.pass)
  }

  async #open(running: Running): Promise<PartyPass> {
    const { shape, ahead } = running
    if (running.missing > 0)
      throw new PassError('malformed', 'What was sent ahead of a pass has the wrong length.')
    if (shape.base > this.#cached)
      throw new PassError(
        'out-of-turn',
        `A pass starts at ${shape.base}, but only ${this.#cached} rows are cached.`,
      )
    // A pass that is abandoned half way leaves rows from its base on unfit for use.
    this.#cached = shape.base
    const { plan, schedule } = this.#plans.of(shape)
    const party = new PartyPass(plan, schedule, shape, {
      role: 'server',
      kernels: this.#kernels,
      masks: new Prg(this.#kernels, await running.material.key()),
      correlations: running.material.corrections,
      cache: this.#plans.cacheOf(shape, this.#cache),
      weights: this.#clear.weights,
      biases: this.#clear.biases,
      forgets: true,
    })
    const [first] = schedule.programs.server
    if (first.kind !== 'receive') throw new RangeError('a plan begins with what the owner sends ahead')
    party.accept(first.message, joined(ahead.splice(0)))
    running.at = 1
    return party
  }
}

/** Parts one after another; a single one as it is. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
