import type { Kernels, Matrix } from '../../kernels/kernels.ts'
import type { RowCache } from '../cache.ts'
import type { CachedRows, DealContext } from '../context.ts'
import { maskLanes, slotPiece, slotRaw, slotWidth, slotWords } from '../material.ts'
import type {
  Blinded,
  Dealt,
  DealtRotations,
  DealtRows,
  DealtSingles,
  Opened,
  Plan,
  Shape,
  Slot,
  Step,
} from '../plan.ts'
import { rowCount, slotBytes, slotValues } from '../plan.ts'
import type { Prg } from '../prg.ts'
import { add, type Lanes } from '../ring.ts'
import { packerOf, subtractBytes } from './corrections.ts'
import { clearProduct } from './product.ts'

/** What the dealer brings to a pass: both parties' mask keys, b = W - F for each private weight, and its pieces of split ones. */
export interface DealerMaterial {
  readonly kernels: Kernels
  readonly owner: Prg
  readonly server: Prg
  readonly differences: ReadonlyMap<string, Matrix>
  readonly cache: RowCache
}

/** Dealt values that pass through the cache at a time. */
const PIECE = 1 << 15

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

/** Deals one pass: for every step the corrections that make the owner's keystream a sharing of the true correlations. */
export class DealerPass implements DealContext {
  readonly shape: Shape
  readonly #plan: Plan
  readonly #own: DealerMaterial
  readonly #masks = new Map<number, Lanes>()

  constructor(plan: Plan, shape: Shape, own: DealerMaterial) {
    this.shape = shape
    this.#plan = plan
    this.#own = own
  }

  /** Steps with something to deal, in plan order, with their packed corrections. */
  *deal(): Generator<{ step: Step; bytes: Uint8Array }> {
    const last = lastReaders(this.#plan)
    for (const step of this.#plan.steps) {
      if (!step.deal) continue
      const values = step.deal(this)
      for (const id of [...this.#masks.keys()]) if ((last.get(id) ?? 0) <= step.id) this.#masks.delete(id)
      if (values.length !== step.slots.length)
        throw new RangeError(
          `step ${step.id} (${step.op}) dealt ${values.length} of ${step.slots.length} slots`,
        )
      if (step.slots.length > 0) yield { step, bytes: this.#pack(step, values) }
    }
  }

  mask(value: Opened): Lanes {
    let lanes = this.#masks.get(value.step)
    if (!lanes) {
      const { owner, server } = this.#own
      lanes = add(maskLanes(owner, this.shape, value), maskLanes(server, this.shape, value), value.maskRing)
      this.#masks.set(value.step, lanes)
    }
    return lanes
  }

  ownerMask(value: Opened | Blinded): Lanes {
    return maskLanes(this.#own.owner, this.shape, value)
  }

  serverMask(value: Opened): Lanes {
    return maskLanes(this.#own.server, this.shape, value)
  }

  cache(name: string): CachedRows {
    return this.#own.cache.read(name, this.shape.base + this.shape.rows)
  }

  remember(name: string, rows: CachedRows): void {
    this.#own.cache.write(name, this.shape.base, this.shape.rows, rows)
  }

  product(a: Lanes, m: number, b: Lanes, k: number, n: number): Lanes {
    return clearProduct(this.#own.kernels, a, m, b, k, n)
  }

  multiplyDifference(weight: string, a: Lanes, ring: number): Lanes {
    const b = this.#own.differences.get(weight)
    if (!b) throw new RangeError(`no difference was registered for '${weight}'`)
    return this.#own.kernels.matmul(a, a.length / b.k, b, ring)
  }

  transformed(samples: Float64Array, matrix: Float64Array, n: number, scale: number): Lanes {
    return this.#own.kernels.transformed(samples, matrix, n, scale)
  }

  #pack(step: Step, values: Dealt[]): Uint8Array {
    const parts = step.slots.map((slot, i) => {
      const value = values[i]
      if ('places' in value) return this.#packSingles(step, slot, value)
      if (!ArrayBuffer.isView(value)) return this.#packRows(step, slot, value)
      if (value.length !== slotValues(this.shape, slot))
        throw new RangeError(`step ${step.id} (${step.op}) dealt ${value.length} values of '${slot.name}'`)
      const owner = slotWords(this.#own.owner, this.shape, step, slot)
      return this.#own.kernels.packDifference(value, owner, slot.bits)
    })
    if (parts.length === 1) return parts[0]
    const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
    let at = 0
    for (const part of parts) {
      out.set(part, at)
      at += part.length
    }
    return out
  }

  /** A few elements at a time, in arrays that stay in the processor's cache. */
  #packRows(step: Step, slot: Slot, value: DealtRows | DealtRotations): Uint8Array {
    const { shape } = this
    const { kernels, owner } = this.#own
    const out = new Uint8Array(slotBytes(shape, slot))
    const per = (slot.entries ?? 1) * (slot.words ?? 1)
    const size = per * slotWidth(slot)
    // Whole blocks of keystream and whole bytes of packing, whatever the width.
    const most = Math.min(slotValues(shape, slot) / per, Math.max(64, Math.floor(PIECE / per / 64) * 64))
    const keystream = new Uint8Array(most * size)
    const pack = packerOf(kernels, value, per, slot.bits)
    let [first, held] = [0, 0]
    const flush = (): void => {
      const bytes = (per * slot.bits) / 8
      const part = out.subarray(first * bytes, (first + held) * bytes)
      pack(first, held, keystream.subarray(0, held * size), part)
      first += held
      held = 0
    }
    for (let r = 0; r < shape.rows; r++) {
      const end = rowCount(shape, r, slot.layout, slot.width)
      for (let i = 0; i < end; ) {
        const room = most - held
        const n = room < end - i ? room - (room % 64) : end - i
        if (n === 0) flush()
        else
          slotPiece(owner, shape, step, slot, r, i * per, keystream.subarray(held * size, (held + n) * size))
        held += n
        i += n
      }
    }
    flush()
    return out
  }

  /** Bytes: the subtraction wraps by itself, and they are their own packing. */
  #packSingles(step: Step, slot: Slot, { rest, single, places }: DealtSingles): Uint8Array {
    const out = slotRaw(this.#own.owner, this.shape, step, slot)
    const per = out.length / places.length
    if (slot.bits !== 8 || per !== (slot.entries ?? 1) * (slot.words ?? 1))
      throw new RangeError(`step ${step.id} (${step.op}) dealt ${places.length} tables of '${slot.name}'`)
    subtractBytes(rest, out)
    for (let i = 0, at = 0; i < places.length; i++, at += per) out[at + places[i]] += single - rest
    return out
  }
}
