/** One operation of a plan with its views side by side: what it costs, means, deals, sends and computes. */
import type { DealContext, OracleContext, PartyContext } from './context.ts'
import type { Dealt, Slot } from './dealt.ts'
import { type AnyLanes, type Lanes, laneBits } from './ring.ts'
import { count, type Layout, type Shape } from './shape.ts'
import type { Opened, Role, Value } from './values.ts'

/** What a message step puts on the wire, element by element: packed, `bits` bits each. */
export interface Wire {
  readonly from: 'both' | Role
  readonly layout: Layout
  readonly width: number
  readonly bits: number
}

/** A matrix product that a view asks its context for: `left` [rows x k] times a weight [k x n], mod 2^ring. */
export interface Product<Context> {
  readonly weight: string
  readonly ring: number
  left(ctx: Context): Lanes
}

/** The products of each view of a step, one a weight. A runner may make them before the view runs. */
export interface Products {
  readonly owner?: readonly Product<PartyContext>[]
  readonly server?: readonly Product<PartyContext>[]
  readonly dealer?: readonly Product<DealContext>[]
}

/** An operation in its place in a plan; its outcome is a value that later steps name. */
export interface Step {
  readonly id: number
  readonly op: string
  readonly out: Value
  /** Values that each party's view reads. */
  readonly needs: Readonly<Record<Role, readonly Value[]>>
  readonly slots: readonly Slot[]
  readonly wire?: Wire
  /** What it multiplies by weights. */
  readonly products?: Products
  /**
   * A cached value of which it reads the rows of all positions: it waits until every row chunk of them has that step. What
   * is dealt for it depends on masks of earlier passes.
   */
  readonly attends?: Opened
  /** Its message takes the owner's input, and so cannot be sent before the pass begins. */
  readonly isInput?: boolean
  /** The dealer's tables that depend on no mask, worked out before they are needed. */
  prepare?(): void
  /** The dealer's view: true values for each slot; the owner's share is taken off by the runner. */
  deal?(ctx: DealContext): Dealt[]
  /** Message steps: this party's half of the message, packed in the wire's bits. */
  half?(ctx: PartyContext): Uint8Array
  /**
   * A party's view: its share of the output (or the public or masked value), given what the other side sent, packed.
   */
  run(ctx: PartyContext, received?: Uint8Array): AnyLanes
  /** The plain meaning on integers mod 2^ring. */
  oracle(ctx: OracleContext): AnyLanes
}

/** A step of outcome V without what the builder fills in. */
export type StepBody<V extends Value> = Omit<
  Step,
  'id' | 'op' | 'out' | 'needs' | 'slots' | 'run' | 'oracle'
> & {
  /** What a party's view reads, where it isn't all inputs. */
  needs?: Partial<Record<Role, readonly Value[]>>
  slots?: readonly Slot[]
  run(ctx: PartyContext, received?: Uint8Array): Lanes<V['lanes']>
  oracle(ctx: OracleContext): Lanes<V['lanes']>
}

/**
 * A view's result, which must have the lanes that its step declares: others would be read as those. Throws
 * `RangeError`.
 */
export function checkedLanes({ id, op, out }: Step, lanes: AnyLanes): AnyLanes {
  if (laneBits(lanes) === out.lanes) return lanes
  throw new RangeError(
    `step ${id} (${op}) made lanes of ${laneBits(lanes)} bits where it declares ${out.lanes}`,
  )
}

/** Bytes of a message step on the link, one way. */
export const wireBytes = (shape: Shape, wire: Wire): number =>
  Math.ceil((count(shape, wire.layout, wire.width) * wire.bits) / 8)
