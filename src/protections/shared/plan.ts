/**
 * A plan is the list of steps that turns shares of a prompt's embeddings into a released hidden state. The owner, the
 * server and the dealer each run the same plan; the oracle runs it on plain integers. Values are typed: every one
 * carries its ring, fraction bits and layout.
 */
import type { Kernels, RotatingRows } from '../../kernels/kernels.ts'
import type { DealContext, PartyContext, PlainContext } from './context.ts'
import { MASK_STREAM } from './prg.ts'
import type { Lanes } from './ring.ts'
import { count, type Layout, rowCount, type Shape } from './shape.ts'

export type Role = 'owner' | 'server'

interface Typed {
  readonly step: number
  readonly layout: Layout
  readonly width: number
  /** The ring is Z_2^ring. */
  readonly ring: number
  /** Fraction bits. */
  readonly frac: number
}

/** Additively shared between owner and server mod 2^ring. */
export interface Share extends Typed {
  readonly kind: 'share'
}

/** Public to owner and server under a mask that neither knows: D = x + offset - a mod 2^ring. */
export interface Opened extends Typed {
  readonly kind: 'opened'
  /** Added before opening, so that a signed value becomes non-negative; 2^(ring-2) where the mask's wrap is undone later, else 0. */
  readonly offset: bigint
  /** The widest ring that the value can be lifted to; 0 where it can't. */
  readonly lift: number
  /** Ring of the mask a (at least `ring`; `lift` where the value can be lifted). */
  readonly maskRing: number
  /** Keystream that the parties' parts of the mask come from. */
  readonly stream: number
  /** Fixed 64-bit keystream lanes, which the owner's product kernels expect. */
  readonly wide: boolean
}

/** Known to the server only, as x - a for the owner's own mask a: what a stationary product needs. */
export interface Blinded extends Typed {
  readonly kind: 'blinded'
  /** Keystream of the owner's mask that hides it. */
  readonly stream: number
}

/** Known to the owner in clear at the end of the pass. */
export interface Released extends Typed {
  readonly kind: 'released'
}

export type Value = Share | Opened | Blinded | Released

/** One dealt correlation: per element, `entries` rows of `words` words (plain correlations have one of each). */
export interface Slot {
  readonly name: string
  readonly layout: Layout
  readonly width: number
  readonly bits: number
  readonly entries?: number
  readonly words?: number
  /** A stream of its own instead of the step's, in 64-bit lanes as the owner's product kernels read them. */
  readonly stream?: number
}

/** What a message step puts on the wire, element by element. */
export interface Wire {
  readonly from: 'both' | Role
  readonly layout: Layout
  readonly width: number
  readonly bits: number
}

/** A product of a value's lanes, or of what `lanes` makes of them, with a matrix that the parties in `by` hold. */
export interface Matmul {
  readonly weight: string
  readonly input: Value
  readonly ring: number
  readonly by: readonly Role[]
  lanes?(ctx: PartyContext): Lanes
}

/** A product of lanes that the dealer knows with b = W - F, or with its piece of a split weight, mod 2^ring. */
export interface DealtProduct {
  readonly weight: string
  readonly ring: number
  lanes(ctx: DealContext): Lanes
}

/** One operation of the plan with its views side by side. */
export interface Step {
  readonly id: number
  readonly op: string
  readonly out: Value
  /** Values that each party's view reads; both the same unless the op says otherwise. */
  readonly needs: Record<Role, readonly Value[]>
  readonly slots: readonly Slot[]
  readonly wire?: Wire
  /** The matrix products that a party's view is going to ask for, so that a faster kernel may run them beforehand. */
  readonly matmul?: readonly Matmul[]
  /** The same of the dealer's view. */
  readonly dealtProducts?: readonly DealtProduct[]
  /** An input of which it reads other bands' rows too, from the cache: it waits until they have run that step. */
  readonly across?: Value
  /** The dealer's tables that depend on no mask, worked out before they are needed. */
  prepare?(): void
  /** The dealer's view: one array of true values for each slot; the owner's part is taken off by the runner. */
  deal?(ctx: DealContext): Dealt[]
  /** Message steps: this party's half of the message, packed in the wire's bits. */
  share?(ctx: PartyContext): Uint8Array
  /** A party's view: its share of the output (or the public or blinded value), given what the other side sent, packed. */
  run(ctx: PartyContext, received?: Uint8Array): Lanes
  /** The plain meaning on integers mod 2^ring. */
  plain(ctx: PlainContext): Lanes
}

/** A step without what the builder fills in. */
export type StepBody = Omit<Step, 'id' | 'op' | 'out' | 'needs' | 'slots'> & {
  needs?: Partial<Record<Role, readonly Value[]>>
  slots?: readonly Slot[]
}

/** What one pass computes: the same steps at every party, each of which runs its own view of them. */
export interface Plan {
  readonly steps: readonly Step[]
  /** Weights that the plan multiplies by, in plan order. */
  readonly weights: readonly WeightUse[]
  /** Biases that are in pieces as their matrices are, in plan order. */
  readonly splitBiases: readonly BiasUse[]
}

/** A bias row that owner and server each add a part of. */
export interface BiasUse {
  readonly name: string
  readonly n: number
}

/** One weight matrix as the plan uses it: its encoding's metadata, public to all. */
export interface WeightUse {
  readonly name: string
  /** Tells the model's weights apart, the same in all its plans. */
  readonly index: number
  readonly k: number
  readonly n: number
  readonly ring: number
  /** `split`: private, and in pieces, of which no party has all. */
  readonly visibility: 'public' | 'private' | 'split'
}

/** Tables too large to make at once: true values of `n` of the slot's elements from `first` on, mod 2^64. */
export interface DealtRows {
  fill(first: number, n: number, out: Lanes): void
}

/** The same where each element's table is a kept row, rotated as its mask says: see `Kernels.packRotated`. */
export interface DealtRotations extends DealtRows {
  readonly masks: Uint32Array
  kept(kernels: Kernels): RotatingRows
}

/** Tables of bytes (a slot of 8 bits) that are all the same but for one in each element's, at its place there. */
export interface DealtSingles {
  readonly rest: number
  readonly single: number
  readonly places: Uint32Array
}

/** True values of a slot. */
export type Dealt = Lanes | DealtRows | DealtRotations | DealtSingles

type Outcome<V extends Value> = Omit<V, 'step'>

/** Collects steps; ops call `step` with their typed output and views. */
export class PlanBuilder {
  readonly steps: Step[] = []
  readonly weights: WeightUse[] = []
  readonly splitBiases: BiasUse[] = []

  step<V extends Value>(
    op: string,
    out: Outcome<V>,
    ins: readonly Value[],
    body: (id: number) => StepBody,
  ): V {
    const id = this.steps.length
    const { needs, slots = [], ...views } = body(id)
    // Slots are streams by their place, which is looked up by name: either way two would share a keystream.
    if (slots.length > MASK_STREAM || new Set(slots.map((s) => s.name)).size < slots.length)
      throw new RangeError(`step ${id} (${op}) deals too many slots, or two of one name`)
    const value = { ...out, step: id } as V
    this.steps.push({
      ...views,
      id,
      op,
      out: value,
      needs: { owner: needs?.owner ?? ins, server: needs?.server ?? ins },
      slots,
    })
    return value
  }

  finish(): Plan {
    return { steps: this.steps, weights: this.weights, splitBiases: this.splitBiases }
  }
}

/** Values that a slot takes for one row. */
export const slotCount = (shape: Shape, row: number, slot: Slot): number =>
  rowCount(shape, row, slot.layout, slot.width) * (slot.entries ?? 1) * (slot.words ?? 1)

/** Values that a slot takes for all rows. */
export const slotValues = (shape: Shape, slot: Slot): number =>
  count(shape, slot.layout, slot.width) * (slot.entries ?? 1) * (slot.words ?? 1)

/** Bytes of a slot's correction on the dealer's wire. */
export const slotBytes = (shape: Shape, slot: Slot): number =>
  Math.ceil((slotValues(shape, slot) * slot.bits) / 8)

/** Bytes of a message step on the link, one way. */
export const wireBytes = (shape: Shape, wire: Wire): number =>
  Math.ceil((count(shape, wire.layout, wire.width) * wire.bits) / 8)
