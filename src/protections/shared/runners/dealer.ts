import type { Kernels, Matrix, OpKernels } from '../../../kernels/kernels.ts'
import type { CachedRows, RowCache } from '../cache.ts'
import type { DealContext } from '../context.ts'
import {
  maskLanes,
  slotLanes,
  slotPart,
  slotWidth,
  slotWords,
  wholeMask,
} from '../correlations/keystreams.ts'
import { joined } from '../correlations/rope.ts'
import {
  type Dealt,
  type DealtRotations,
  type DealtRows,
  type DealtSingles,
  type Slot,
  slotValues,
} from '../dealt.ts'
import type { Plan } from '../plan.ts'
import type { Prg } from '../prg.ts'
import { exclusiveOr, type LaneBits, type Lanes } from '../ring.ts'
import { isPresent, rowCount, type Shape, spanOf } from '../shape.ts'
import type { Product, Step } from '../step.ts'
import type { Opened, UnderMask } from '../values.ts'
import { packerOf, subtractBytes } from './corrections.ts'
import { Reuse } from './reuse.ts'

/**
 * What the dealer brings to a pass: both parties' mask keys, b = W - F for each private weight, and its pieces of split
 * ones.
 */
export interface DealerHoldings {
  readonly kernels: Kernels
  readonly owner: Prg
  readonly server: Prg
  readonly differences: Pick<ReadonlyMap<string, Matrix>, 'get'>
  readonly cache: RowCache
}

/** Dealt values that pass through the cache at a time. */
const PART = 1 << 15

const readers = new WeakMap<Plan, Map<number, number>>()

/** The last step that deals for each value: its mask is kept until then. */
function lastReaders(plan: Plan): Map<number, number> {
  let last = readers.get(plan)
  if (last) return last
  last = new Map()
  for (const step of plan.steps)
    if (step.deal)
      for (const value of [...step.needs.owner, ...step.needs.server]) last.set(value.step, step.id)
  readers.set(plan, last)
  return last
}

/**
 * Deals one pass, or a row chunk of it: for every step the corrections that make the owner's keystream a sharing of the
 * true correlations.
 */
export class DealerPass implements DealContext {
  readonly shape: Shape
  readonly kernels: OpKernels
  readonly #plan: Plan
  readonly #own: DealerHoldings
  readonly #masks = new Map<number, Lanes>()
  /** Of masks and dealt values that are packed. */
  readonly #memory = new Reuse()
  /** Products made ahead of the step that reads them. */
  readonly #products = new Map<Product<DealContext>, Lanes>()

  constructor(plan: Plan, shape: Shape, own: DealerHoldings) {
    this.shape = shape
    this.kernels = this.#memory.kernels(own.kernels)
    this.#plan = plan
    this.#own = own
  }

  /** Steps with something to deal, in plan order, with their packed corrections. */
  *deal(): Generator<{ step: Step; bytes: Uint8Array }> {
    for (const step of this.#plan.steps) {
      const parts = Array.from(this.dealStep(step), (part) => part.slice())
      if (step.slots.length > 0) yield { step, bytes: joined(parts) }
    }
  }

  /** Makes a step's matrix products by the kernels' faster way for many rows, if it has some and they have one. */
  multiplyAhead(step: Step): Promise<void> | undefined {
    if (!this.#own.kernels.matmulAsync || !isPresent(this.shape, step.out.layout)) return undefined
    return step.products?.dealer?.length ? this.#multiply(step) : undefined
  }

  async #multiply(step: Step): Promise<void> {
    const { kernels, differences } = this.#own
    if (!kernels.matmulAsync) return
    for (const product of step.products?.dealer ?? []) {
      const b = differences.get(product.weight)
      if (!b) continue
      const a = product.left(this)
      this.#products.set(product, await kernels.matmulAsync(a, a.length / b.k, b, product.ring))
    }
  }

  /**
   * A step's packed corrections, part by part; none where it deals nothing. A part is good until the next one is
   * asked for: all are made in the same memory, which stays in the processor's cache. Steps are dealt in plan order.
   */
  *dealStep(step: Step): Generator<Uint8Array> {
    if (!step.deal || !isPresent(this.shape, step.out.layout)) return
    const values = step.deal(this)
    const last = lastReaders(this.#plan)
    const over: ArrayBufferView[] = []
    for (const [id, lanes] of this.#masks) {
      if ((last.get(id) ?? 0) > step.id) continue
      this.#masks.delete(id)
      over.push(lanes)
    }
    if (values.length !== step.slots.length)
      throw new RangeError(
        `step ${step.id} (${step.op}) dealt ${values.length} of ${step.slots.length} slots`,
      )
    for (const [i, slot] of step.slots.entries()) yield* this.#pack(step, slot, values[i])
    // Only now: a table may be worked out of its masks while it is packed, and a value may be a mask.
    const kept = new Set([...this.#masks.values()].map(({ buffer }) => buffer))
    for (const array of [...over, ...values])
      if (ArrayBuffer.isView(array) && !kept.has(array.buffer)) this.#memory.give(array)
  }

  /** Made once, and kept until the last step that deals for the value. */
  mask(value: Opened<LaneBits>): Lanes {
    let lanes = this.#masks.get(value.step)
    if (!lanes) {
      const { owner, server } = this.#own
      lanes = wholeMask(this.kernels, [owner, server], this.shape, value)
      this.#masks.set(value.step, lanes)
    }
    return lanes
  }

  ownerMask(value: UnderMask): Lanes {
    return maskLanes(this.#own.owner, this.shape, value)
  }

  serverMask(value: UnderMask): Lanes {
    return maskLanes(this.#own.server, this.shape, value)
  }

  cache(name: string): CachedRows {
    return this.#own.cache.read(name, spanOf(this.shape))
  }

  remember(name: string, rows: CachedRows): void {
    this.#own.cache.write(name, this.shape.base, this.shape.rows, rows)
  }

  /** Throws `RangeError` where the step declares no such product, or b was not registered. */
  multiply(step: number, weight: string): Lanes {
    const { products, op } = this.#plan.steps[step]
    const product = products?.dealer?.find((p) => p.weight === weight)
    if (!product) throw new RangeError(`step ${step} (${op}) deals no product with '${weight}'`)
    const ahead = this.#products.get(product)
    if (ahead && this.#products.delete(product)) return ahead
    const b = this.#own.differences.get(weight)
    if (!b) throw new RangeError(`no difference was registered for '${weight}'`)
    const a = product.left(this)
    return this.#own.kernels.matmul(a, a.length / b.k, b, product.ring)
  }

  *#pack(step: Step, slot: Slot, value: Dealt): Generator<Uint8Array> {
    if (slot.isBinary) yield this.#packBits(step, slot, value)
    else if ('places' in value) yield this.#packSingles(step, slot, value)
    else if (!ArrayBuffer.isView(value)) yield* this.#packRows(step, slot, value)
    else {
      if (value.length !== slotValues(this.shape, slot))
        throw new RangeError(`step ${step.id} (${step.op}) dealt ${value.length} values of '${slot.name}'`)
      const { kernels, owner } = this.#own
      const words = slotWords(owner, this.shape, step, slot, (bytes) => owner.scratch.take(bytes))
      const packed = kernels.packDifference(value, words, slot.bits)
      owner.scratch.release()
      yield packed
    }
  }

  /** A few elements at a time, in arrays that stay in the processor's cache. */
  *#packRows(step: Step, slot: Slot, value: DealtRows | DealtRotations): Generator<Uint8Array> {
    const { shape } = this
    const { kernels, owner } = this.#own
    const per = (slot.entries ?? 1) * (slot.words ?? 1)
    const size = per * slotWidth(slot)
    // Whole blocks of keystream and whole bytes of packing, whatever the width.
    const most = Math.min(slotValues(shape, slot) / per, Math.max(64, Math.floor(PART / per / 64) * 64))
    const keystream = new Uint8Array(most * size)
    const bytes = (per * slot.bits) / 8
    const packed = new Uint8Array(most * bytes)
    const pack = packerOf(kernels, value, per, slot.bits)
    let [first, held] = [0, 0]
    const flush = (): Uint8Array => {
      const part = packed.subarray(0, held * bytes)
      pack(first, held, keystream.subarray(0, held * size), part)
      first += held
      held = 0
      return part
    }
    for (let r = 0; r < shape.rows; r++) {
      const end = rowCount(shape, r, slot.layout, slot.width)
      for (let i = 0; i < end; ) {
        const room = most - held
        const n = room < end - i ? room - (room % 64) : end - i
        if (n === 0) yield flush()
        else
          slotPart(owner, shape, step, slot, r, i * per, keystream.subarray(held * size, (held + n) * size))
        held += n
        i += n
      }
    }
    if (held > 0) yield flush()
  }

  /** Words of bits that are shared each for itself. */
  #packBits(step: Step, slot: Slot, value: Dealt): Uint8Array {
    const { kernels, owner } = this.#own
    if (!(value instanceof BigUint64Array) || value.length !== slotValues(this.shape, slot))
      throw new RangeError(`step ${step.id} (${step.op}) dealt no bits of '${slot.name}'`)
    return kernels.pack(exclusiveOr(value, slotLanes(owner, this.shape, step, slot)), slot.bits)
  }

  /** Bytes: the subtraction wraps by itself, and they are their own packing. */
  #packSingles(step: Step, slot: Slot, { rest, single, places }: DealtSingles): Uint8Array {
    const out = slotWords(this.#own.owner, this.shape, step, slot)
    const per = out.length / places.length
    if (slot.bits !== 8 || per !== (slot.entries ?? 1) * (slot.words ?? 1))
      throw new RangeError(`step ${step.id} (${step.op}) dealt ${places.length} tables of '${slot.name}'`)
    subtractBytes(rest, out)
    for (let i = 0, at = 0; i < places.length; i++, at += per) out[at + places[i]] += single - rest
    return out
  }
}
