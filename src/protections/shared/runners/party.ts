import type { Kernels, Matrix, OpKernels } from '../../../kernels/kernels.ts'
import type { LaneArray } from '../../../kernels/lanes.ts'
import type { CachedRows, RowCache } from '../cache.ts'
import type { PartyContext } from '../context.ts'
import type { Correlations } from '../correlations/correlations.ts'
import { maskLanes, maskWords } from '../correlations/keystreams.ts'
import type { Slot } from '../dealt.ts'
import type { Plan } from '../plan.ts'
import { laneBytes, type Prg, streamId } from '../prg.ts'
import { type AnyLanes, type LaneBits, type Lanes, newLanes } from '../ring.ts'
import { messageBytes, type Schedule } from '../schedule.ts'
import { isPresent, type Shape, spanOf } from '../shape.ts'
import { checkedLanes, type Product, type Step, wireBytes } from '../step.ts'
import type { Role, Typed, UnderMask } from '../values.ts'
import { usesOf } from './lifetimes.ts'
import { Reuse } from './reuse.ts'

/** A message that does not fit the plan: truncated, padded or out of turn. */
export class MessageError extends Error {
  override readonly name = 'MessageError'
  readonly code = 'malformed'
  readonly advice = 'Start a new session.'
}

/** Rows from which a faster product pays for its set-up. */
const MANY_ROWS = 16

/** What one party brings to a pass. */
export interface PartyHoldings {
  readonly role: Role
  readonly kernels: Kernels
  /** This party's masks. */
  readonly masks: Prg
  readonly correlations: Correlations
  readonly cache: RowCache
  /** Weights this party multiplies by in the clear. */
  readonly weights: ReadonlyMap<string, Matrix>
  readonly biases: ReadonlyMap<string, Lanes>
  /** Owner: its own randomness, its input, and the stationary products made ahead. */
  readonly secret?: Prg
  readonly input?: Lanes
  readonly padding?: Uint8Array
  /** The pass's own from then on: where it forgets, each goes once it is read. */
  readonly stationary?: Map<string, LaneArray>
  /** Forget each value after its last use, as sessions do; traces and tests look at all of them. */
  readonly forgets?: boolean
}

/** One party's run of one pass: steps run as the schedule says, messages come in and go out as bytes. */
export class PartyPass implements PartyContext {
  readonly role: Role
  readonly shape: Shape
  readonly kernels: OpKernels
  readonly #plan: Plan
  readonly #schedule: Schedule
  readonly #own: PartyHoldings
  readonly #values = new Map<number, AnyLanes>()
  readonly #received = new Map<number, Uint8Array>()
  /** Products made ahead of the step that reads them. */
  readonly #products = new Map<Product<PartyContext>, Lanes>()
  /** Keystream words of this party's parts of masks. */
  readonly #masks = new Map<number, Uint8Array>()
  /** Halves of openings, packed, from the first use to the second: they are sent, and added to what comes. */
  readonly #halves = new Map<number, Uint8Array>()
  /** Of values that are forgotten. */
  readonly #memory = new Reuse()
  /** Readers that each value still waits for. */
  readonly #uses: Uint16Array
  #input?: Lanes
  #padding?: Uint8Array

  constructor(plan: Plan, schedule: Schedule, shape: Shape, own: PartyHoldings) {
    this.role = own.role
    this.shape = shape
    this.kernels = own.forgets ? this.#memory.kernels(own.kernels) : own.kernels
    this.#plan = plan
    this.#schedule = schedule
    this.#own = own
    this.#input = own.input
    this.#padding = own.padding
    this.#uses = usesOf(schedule, own.role).slice()
  }

  /** The owner's input, once the pass begins, and which of its rows are padding; none where nothing is said. */
  begin(input: Lanes, padding?: Uint8Array): void {
    this.#input = input
    this.#padding = padding
  }

  /** Runs a step's matrix products by the kernels' faster way for many rows, if they have one. */
  async multiplyAhead(step: Step): Promise<void> {
    const { kernels, weights } = this.#own
    if (!kernels.matmulAsync || this.shape.rows < MANY_ROWS || !isPresent(this.shape, step.out.layout)) return
    for (const product of step.products?.[this.role] ?? []) {
      const matrix = weights.get(product.weight)
      if (!matrix) continue
      const a = product.left(this)
      this.#products.set(product, await kernels.matmulAsync(a, a.length / matrix.k, matrix, product.ring))
    }
  }

  /**
   * Runs a step whose inputs are there. Throws `RangeError` where one is missing, or where the result's lanes
   * are not the declared ones.
   */
  runStep(id: number): void {
    const step = this.#plan.steps[id]
    const isHere = isPresent(this.shape, step.out.layout)
    const isSent = this.#halves.has(id)
    this.#values.set(
      id,
      isHere ? checkedLanes(step, step.run(this, this.#received.get(id))) : newLanes(step.out.lanes, 0),
    )
    this.#own.correlations.release()
    this.#release(this.#received, id)
    if (isSent) this.#release(this.#halves, id)
    if (!this.#own.forgets) return
    this.#used(step)
    if (this.#uses[id] === 0) this.#forget(step)
  }

  /** The bytes of a message of this party. */
  compose(index: number): Uint8Array {
    const message = this.#schedule.messages[index]
    const out = new Uint8Array(messageBytes(this.shape, message))
    let at = 0
    for (const step of message.steps) {
      if (!step.half || !step.wire) throw new RangeError(`step ${step.id} (${step.op}) sends nothing`)
      const known = this.#halves.get(step.id)
      const half = known ?? step.half(this)
      out.set(half, at)
      at += half.length
      if (known) this.#release(this.#halves, step.id)
      else if (step.wire.from === 'both') this.#halves.set(step.id, half)
      else this.#giveBack(half)
      this.#own.correlations.release()
      if (this.#own.forgets) this.#used(step)
    }
    return out
  }

  /** Takes the other party's message. Throws `MessageError` when its length is not the declared one. */
  accept(index: number, payload: Uint8Array): void {
    const message = this.#schedule.messages[index]
    const declared = messageBytes(this.shape, message)
    if (payload.length !== declared)
      throw new MessageError(
        `message ${index} has ${payload.length} bytes where the plan declares ${declared}`,
      )
    let at = 0
    for (const step of message.steps) {
      if (!step.wire) continue
      const size = wireBytes(this.shape, step.wire)
      // A copy: the message's memory is the link's.
      const own = new Uint8Array(this.#memory.take(size))
      own.set(payload.subarray(at, at + size))
      this.#received.set(step.id, own)
      at += size
    }
  }

  /** Throws `RangeError` before the value's step has run, and once it is forgotten. */
  get<W extends LaneBits>(value: Typed<W>): Lanes<W> {
    return this.result(value.step) as Lanes<W>
  }

  /** A step's result. Throws `RangeError` before it has run. */
  result(id: number): AnyLanes {
    const lanes = this.#values.get(id)
    if (!lanes) throw new RangeError(`step ${id} has not run at the ${this.role}`)
    return lanes
  }

  lanes(n: number): Lanes {
    return new BigUint64Array(this.#memory.take(8 * n))
  }

  /** This party's part of the mask, from its own key: rows x width. */
  mask(value: UnderMask): Lanes {
    return maskLanes(this.#own.masks, this.shape, value, this.maskWords(value))
  }

  maskWords(value: UnderMask): Uint8Array {
    const make = (bytes: number): Uint8Array => new Uint8Array(this.#memory.take(bytes))
    const words = this.#masks.get(value.step) ?? maskWords(this.#own.masks, this.shape, value, make)
    this.#masks.set(value.step, words)
    return words
  }

  /** Worked out once, whichever of sending and adding comes first. */
  half(id: number): Uint8Array {
    const step = this.#plan.steps[id]
    const half = this.#halves.get(id) ?? step.half?.(this)
    if (!half) throw new RangeError(`step ${id} (${step.op}) opens nothing`)
    this.#halves.set(id, half)
    return half
  }

  correlation(step: number, slot: Slot): Lanes {
    return this.#own.correlations.read(this.#plan.steps[step], slot)
  }

  packed(step: number, slot: Slot): Uint8Array {
    return this.#own.correlations.packed(this.#plan.steps[step], slot)
  }

  bytes(step: number, slot: Slot): Uint8Array {
    return this.#own.correlations.bytes(this.#plan.steps[step], slot)
  }

  lookup(step: number, slot: Slot, index: Uint32Array, first = 0): Lanes {
    return this.#own.correlations.lookup(this.#plan.steps[step], slot, index, first)
  }

  /** One keystream a row, under its serial: rows x width, mod 2^ring. Throws `RangeError` at the server. */
  ownerSecret(step: number, width: number, ring: number): Lanes {
    const prg = this.#own.secret
    if (!prg) throw new RangeError('only the owner holds the input')
    const out = new BigUint64Array(this.shape.rows * width)
    for (let r = 0; r < this.shape.rows; r++)
      prg.fill(streamId(step, 0), this.shape.serial + r, ring, out, r * width, width, laneBytes(ring))
    return out
  }

  input(): Lanes {
    if (!this.#input) throw new RangeError('the input is not known yet')
    return this.#input
  }

  padding(): Uint8Array {
    if (!this.#input) throw new RangeError('the input is not known yet')
    return this.#padding ?? new Uint8Array(spanOf(this.shape))
  }

  cache(name: string): CachedRows {
    return this.#own.cache.read(name, spanOf(this.shape))
  }

  remember(name: string, rows: CachedRows): void {
    this.#own.cache.write(name, this.shape.base, this.shape.rows, rows)
  }

  /**
   * Takes the product that `multiplyAhead` made, or makes it. Throws `RangeError` where the step declares
   * none, or the party does not hold the weight.
   */
  multiply(step: number, weight: string): Lanes {
    const { products, op } = this.#plan.steps[step]
    const product = products?.[this.role]?.find((p) => p.weight === weight)
    if (!product) throw new RangeError(`step ${step} (${op}) declares no product with '${weight}'`)
    const ahead = this.#products.get(product)
    if (ahead && this.#products.delete(product)) return ahead
    const matrix = this.#own.weights.get(weight)
    if (!matrix) throw new RangeError(`the ${this.role} does not hold weight '${weight}'`)
    const a = product.left(this)
    return this.#own.kernels.matmul(a, a.length / matrix.k, matrix, product.ring)
  }

  /** Throws `RangeError` where it was not made ahead. */
  stationary(weight: string): LaneArray {
    const y = this.#own.stationary?.get(weight)
    if (!y) throw new RangeError(`the product with '${weight}' was not prepared`)
    if (this.#own.forgets) this.#own.stationary?.delete(weight)
    return y
  }

  /** Throws `RangeError` where the party does not hold it. */
  bias(name: string): Lanes {
    const b = this.#own.biases.get(name)
    if (!b) throw new RangeError(`the ${this.role} does not hold bias '${name}'`)
    return b
  }

  /** One reader of a step's inputs is done. */
  #used(step: Step): void {
    for (const value of step.needs[this.role])
      if (--this.#uses[value.step] === 0) this.#forget(this.#plan.steps[value.step])
  }

  #forget(step: Step): void {
    this.#release(this.#values, step.id)
    this.#release(this.#masks, step.id)
    this.#own.correlations.forget(step)
  }

  /** Forgets one of these arrays, and takes its memory back. */
  #release<T extends ArrayBufferView>(arrays: Map<number, T>, id: number): void {
    const array = arrays.get(id)
    arrays.delete(id)
    if (array) this.#giveBack(array)
  }

  /** Unless another value lies in the same memory: some steps hand on what they were given. */
  #giveBack(array: ArrayBufferView): void {
    if (!this.#own.forgets || !this.#memory.has(array)) return
    for (const live of [this.#values, this.#halves, this.#masks, this.#received])
      for (const other of live.values()) if (other.buffer === array.buffer) return
    this.#memory.give(array)
  }
}
