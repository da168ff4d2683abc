/**
 * What a step costs a pass: a view of the step, declared before anything runs. The schedule, the dealer's stream and
 * the choice of table geometries read it; tests hold what is measured against it.
 */
import { type Slot, slotBytes } from './dealt.ts'
import type { Plan } from './plan.ts'
import { count, isPresent, type Shape } from './shape.ts'
import { type Step, wireBytes } from './step.ts'
import { isUnderMask } from './values.ts'

/** Of one step, at one shape. */
export interface Cost {
  /**
   * One-way messages that the step waits for: 1 where it sends something, which may travel with other steps' halves.
   */
  readonly hops: number
  /** Bits from the owner to the server; what a step sends fills whole bytes. */
  readonly up: number
  /** Bits from the server to the owner, likewise. */
  readonly down: number
  /** Bits from the dealer to the server; every slot fills whole bytes. */
  readonly dealt: number
  /**
   * Ring elements that go under a one-time mask of their own: as many words of keystream from each holder of a part.
   */
  readonly masks: number
}

/** What one pass takes, by its plan and shape, as its limits count it. */
export interface PassCost {
  /** Rows of hidden states or logits that the owner learns. */
  readonly rows: number
  /** Bytes that the dealer sends for it. */
  readonly bytes: number
  /** Rows that the owner puts in: 1 where a reply goes on by a token. */
  readonly rowsIn: number
}

/** What the cost of a step is a function of, besides the shape. */
export type Declared = Pick<Step, 'out' | 'slots' | 'wire' | 'needs' | 'isInput'>

/** The cost of a step of a pass, or of one of its row chunks. */
export function costOf(shape: Shape, step: Declared): Cost {
  const { out, slots, wire } = step
  const bits = wire ? 8 * wireBytes(shape, wire) : 0
  return {
    hops: wire && isPresent(shape, wire.layout) ? 1 : 0,
    up: wire?.from !== 'server' ? bits : 0,
    down: wire?.from !== 'owner' ? bits : 0,
    dealt: 8 * dealtBytes(shape, slots),
    masks: hasOwnMask(step) ? count(shape, out.layout, out.width) : 0,
  }
}

/** The mask of an input that is sent is the owner's share of it; a value that is opened further stays under the mask that it had. */
function hasOwnMask({ out, needs, wire, isInput = false }: Declared): boolean {
  if (!isUnderMask(out)) return isInput && wire !== undefined
  return ![...needs.owner, ...needs.server].some((v) => isUnderMask(v) && v.stream === out.stream)
}

/** Bytes that the dealer sends for slots. */
const dealtBytes = (shape: Shape, slots: readonly Slot[]): number =>
  slots.reduce((sum, slot) => sum + slotBytes(shape, slot), 0)

/** Bytes that the dealer sends for one step. */
export const stepDealtBytes = (shape: Shape, step: Declared): number => costOf(shape, step).dealt / 8

/** Bytes that the dealer sends for a whole pass, of one row chunk or several. */
export const planDealtBytes = (chunks: readonly Shape[], plan: Plan): number =>
  chunks.reduce((sum, shape) => plan.steps.reduce((n, step) => n + stepDealtBytes(shape, step), sum), 0)
