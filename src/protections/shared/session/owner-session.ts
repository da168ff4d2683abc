/** The data owner's side of one session: prepares passes ahead, runs them, and keeps the serials moving forward. */

import type { LaneArray } from '../../../kernels/lanes.ts'
import { Cancelled, isNoise } from '../../protection.ts'
import { RowCache } from '../cache.ts'
import { SeededCorrelations } from '../correlations/seeded.ts'
import { planDealtBytes } from '../cost.ts'
import type { Plan } from '../plan.ts'
import { deriveKey, Prg } from '../prg.ts'
import { encodeInput } from '../profiles/input-type.ts'
import { refuseOutOfRange } from '../released.ts'
import { toFloats } from '../ring.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { PartyPass } from '../runners/party.ts'
import { PipelinedPass } from '../runners/pipelined.ts'
import type { Schedule } from '../schedule.ts'
import type { Shape } from '../shape.ts'
import { MASK_KEY } from './dealer-passes.ts'
import type { OwnerSetup, PassOptions, SessionTotals } from './owner-setup.ts'
import { decodePass, encodePass, encodeRequest, PassError, type PassMessage } from './pass-messages.ts'
import { ProductPool } from './product-pool.ts'
import { type Ran, Rehearsal, type Rehearsed } from './rehearsal.ts'

const AHEAD_BYTES = 16 * 1024 * 1024

interface Prepared extends Rehearsed {
  readonly shape: Shape
  readonly plan: Plan
  readonly schedule: Schedule
  readonly party: PipelinedPass
  /** A rehearsal behind passes that were real. */
  readonly isRehearsal: boolean
}

/**
 * One session of one model: passes one after another, and the next one's offline work while one runs. Every
 * row of every pass has a serial of its own, whatever position it ends up at.
 */
export class OwnerSession {
  readonly pool: ProductPool
  readonly totals: SessionTotals = {
    passes: 0,
    hops: 0,
    rows: 0,
    dealerBytes: 0,
    rehearsed: 0,
    audited: 0,
    auditBytes: 0,
    lastSent: new Uint8Array(),
    lastRequest: new Uint8Array(),
  }
  readonly #setup: OwnerSetup
  readonly #secret: Prg
  readonly #cache: RowCache
  #pass = 0
  #ahead?: Promise<Prepared>
  #aheadShape: { base: number; rows: number } = { base: 0, rows: 0 }
  /** Passes of several row chunks that were cancelled under way. */
  readonly #givenUp = new Set<number>()
  readonly #rehearsal: Rehearsal
  /** Passes that are made ready now are of a rehearsal that is under way, and none themselves. */
  #isRehearsing = false
  #failed?: unknown

  constructor(setup: OwnerSetup) {
    this.#setup = setup
    const { kernels, plans } = setup
    // The dealer must not know the owner's share of its input, so this key has nothing to do with the shared seed.
    this.#secret = new Prg(kernels, crypto.getRandomValues(new Uint8Array(32)))
    this.#cache = new RowCache(plans.config.context)
    this.#rehearsal = new Rehearsal(plans, this.totals, {
      run: async (base, embeddings, o) => {
        const prepared = await this.#take(base, embeddings.length / plans.inputWidth)
        return this.#run(prepared, embeddings, o)
      },
      drop: () => this.drop(),
      ask: async (message) => {
        await setup.link.send(encodePass(message), true)
        return this.#answer()
      },
    })
    this.pool = new ProductPool(kernels, setup.device, plans.privateWeights(), {
      passes: deriveKey(kernels, setup.seed, MASK_KEY),
      stationary: deriveKey(kernels, setup.stationarySeed, 'stationary'),
    })
  }

  /** Whether passes may be audited. */
  get isAudited(): boolean {
    return this.#setup.audits !== undefined && !this.#setup.plans.isSplit
  }

  /** Products with private weights that every row takes. */
  get privateProducts(): number {
    return this.#setup.plans.privateWeights().length
  }

  /**
   * Runs one pass over embedded rows [rows x inputWidth] after `base` cached positions; resolves with what it releases.
   * With `next` the pass after it is prepared while this one runs: a decoder's of one more row, an encoder's of so many.
   * Any pass may be rehearsed first, and the dealer audited with that.
   * Rejects with `Cancelled`, `ProtectionError` (`out-of-range`), `PassError`, `SessionError` or the link's error; after anything but the first two
   * the session is over.
   */
  async run(base: number, embeddings: Float64Array, o: PassOptions = {}): Promise<Float64Array> {
    if (this.#failed) throw this.#failed
    const { plans, audits } = this.#setup
    try {
      const rows = embeddings.length / plans.inputWidth
      if (audits && base === 0 && this.isAudited)
        while (audits.isNext()) {
          this.#isRehearsing = true
          await this.#rehearsal.run(audits, rows, o)
        }
      this.#isRehearsing = false
      let next = await this.#take(base, rows)
      while (audits && next.isRehearsal) {
        const ran = await this.#run(next, this.#rehearsal.empty(rows), o)
        await this.#rehearsal.show(audits, ran)
        next = await this.#take(base, rows)
      }
      const { prepared, released } = await this.#run(next, embeddings, o)
      this.totals.passes++
      this.totals.hops += prepared.schedule.hops
      this.totals.rows += rows
      refuseOutOfRange(prepared.plan.alarms, prepared.party.rowChunks)
      return released
    } catch (error) {
      if (!(error instanceof Cancelled || isNoise(error))) this.#failed = error
      throw error
    } finally {
      this.#isRehearsing = false
    }
  }

  /** Gives up a pass that was prepared and will not be used. */
  async drop(): Promise<void> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (!ahead) return
    // Where preparing failed there is nothing to give up, and whoever runs the next pass hears of it.
    const prepared = await ahead.catch(() => undefined)
    if (prepared) await this.#setup.link.send(encodePass({ kind: 'abandon', pass: prepared.pass }), false)
  }

  async #run(prepared: Prepared, embeddings: Float64Array, o: PassOptions): Promise<Ran<Prepared>> {
    const { input: type } = this.#setup.plans
    const { width } = type
    const { base } = prepared.shape
    const input = encodeInput(type, embeddings)
    for (const rowChunk of prepared.party.rowChunks) {
      const from = (rowChunk.shape.base - base) * width
      rowChunk.begin(input.subarray(from, from + rowChunk.shape.rows * width), o.padding)
    }
    return { prepared, released: await this.#exchange(prepared, o) }
  }

  async #take(base: number, rows: number): Promise<Prepared> {
    if (this.#ahead && this.#aheadShape.base === base && this.#aheadShape.rows === rows) {
      const ahead = this.#ahead
      this.#ahead = undefined
      return ahead
    }
    await this.drop()
    return this.#prepare(base, rows)
  }

  /** Does all that needs no input: asks the dealer, runs the offline steps, sends what can be sent ahead. */
  async #prepare(base: number, rows: number): Promise<Prepared> {
    const { plans, kernels, clear, requestPass, link, isNear, audits } = this.#setup
    const { first, keys, products } = this.pool.take(rows)
    const isRehearsal = base > 0 && !this.#isRehearsing && this.isAudited && audits?.isBehind(rows) === true
    // The dealer's masks of what is cached are of real passes: nothing that is sent of a rehearsal may have to do with them.
    const kept = isRehearsal ? crypto.getRandomValues(new Uint8Array(32)) : keys.kept
    const cache = isRehearsal ? new RowCache(plans.config.context) : this.#cache
    const masks = new Prg(kernels, keys.pass, kept)
    // A fetch link has one request under way at a time, so row chunks would wait for one another.
    const isWhole = link.kind === 'fetch'
    const shape = plans.shapeOf({ base, rows, serial: first, goal: isNear ? 'bytes' : undefined, isWhole })
    const { plan, schedule } = plans.of(shape)
    const pass = ++this.#pass
    const request = encodeRequest(shape)
    this.totals.lastRequest = request
    const asked = requestPass(pass, request)
    // Where the link fails first, nobody waits for the dealer's answer any more.
    asked.catch(() => undefined)
    const common = {
      role: 'owner' as const,
      kernels,
      masks,
      cache: plans.cacheOf(shape, cache),
      weights: clear.weights,
      biases: clear.biases,
      secret: this.#secret,
      forgets: true,
    }
    const made = await products
    const rowChunks = rowChunksOf(shape).map((rowChunk) => {
      const at = (lanes: LaneArray): LaneArray => {
        const n = lanes.length / rows
        const from = (rowChunk.base - base) * n
        return lanes.subarray(from, from + rowChunk.rows * n)
      }
      const stationary = new Map([...made].map(([name, lanes]) => [name, at(lanes)]))
      const correlations = new SeededCorrelations(masks, rowChunk)
      return new PartyPass(plan, schedule, rowChunk, { ...common, correlations, stationary })
    })
    const party = new PipelinedPass(schedule, 'owner', rowChunks)
    await this.#sendAhead(pass, shape, party.composeAhead())
    await asked
    const dealtBytes = planDealtBytes(rowChunksOf(shape), plan)
    this.totals.dealerBytes += dealtBytes
    const shown = isRehearsal ? { pass: keys.pass } : keys
    return { pass, shape, plan, schedule, party, shown, isRehearsal, dealtBytes }
  }

  /** Long texts have more to send ahead than one message may hold. */
  async #sendAhead(pass: number, shape: Shape, whole: Uint8Array): Promise<void> {
    const { link, aheadBytes = AHEAD_BYTES } = this.#setup
    const first = whole.subarray(0, aheadBytes)
    await link.send(encodePass({ kind: 'begin', pass, shape, payload: first }), false)
    for (let at = aheadBytes; at < whole.length; at += aheadBytes)
      await link.send(encodePass({ kind: 'more', pass, payload: whole.subarray(at, at + aheadBytes) }), false)
  }

  /** Begins to prepare the pass that is to follow one of this shape. */
  #prepareNext({ base, rows }: Shape, next: boolean | number): void {
    const { config } = this.#setup.plans
    const shape = typeof next === 'number' ? { base: 0, rows: next } : { base: base + rows, rows: 1 }
    if (!next || shape.base + shape.rows > config.context) return
    this.#aheadShape = shape
    this.#ahead = this.#prepare(shape.base, shape.rows)
    this.#ahead.catch(() => undefined)
  }

  async #exchange(p: Prepared, o: PassOptions): Promise<Float64Array> {
    const { pass, party } = p
    const rowChunks = party.rowChunks.length
    const last = p.schedule.messages.length - 1
    const send = async (
      rowChunk: number,
      index: number,
      payload: Uint8Array,
      isLast: boolean,
    ): Promise<void> => {
      if (o.signal?.aborted) return this.#cancel(p)
      this.totals.lastSent = payload
      await this.#setup.link.send(encodePass({ kind: 'data', pass, rowChunk, index, payload }), isLast)
      if (index === 1 && rowChunk === rowChunks - 1) this.#prepareNext(p.shape, o.next ?? false)
    }
    for (await party.go({ send }); !party.isOver; await party.go({ send })) {
      const message = await this.#answer()
      if (
        message.kind !== 'data' ||
        message.pass !== pass ||
        message.index !== party.awaited(message.rowChunk)
      )
        throw new PassError('out-of-turn', 'The server answered out of turn.')
      party.accept(message.rowChunk, message.payload)
      if (message.index !== last && o.signal?.aborted) return this.#cancel(p)
    }
    const { out } = p.plan.steps[p.plan.steps.length - 1]
    const parts = party.rowChunks.map((rowChunk) =>
      toFloats(rowChunk.result(out.step), out.ring, out.scale.bits),
    )
    const released = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      released.set(part, at)
      at += part.length
    }
    return released
  }

  async #answer(): Promise<PassMessage> {
    for (;;) {
      const message = decodePass(await this.#setup.link.receive())
      // The server may have been at work on another row chunk of a pass when that was given up.
      if (message.kind !== 'data' || !this.#givenUp.has(message.pass)) return message
    }
  }

  async #cancel(p: Prepared): Promise<never> {
    this.#givenUp.add(p.pass)
    await this.#setup.link.send(encodePass({ kind: 'abandon', pass: p.pass }), false)
    await this.drop()
    throw new Cancelled('stopped')
  }
}
