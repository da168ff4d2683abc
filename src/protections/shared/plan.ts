/**
 * A plan is the list of steps that turns shares of a prompt's embeddings into a released hidden state. The owner, the
 * server and the dealer each run the same plan; the oracle runs it on plain integers.
 */
import { MASK_STREAM } from './prg.ts'
import type { Step, StepBody } from './step.ts'
import type { Released, Unplaced, Value } from './values.ts'

/** What one pass computes: the same steps at every party, each of which runs its own view of them. */
export interface Plan {
  readonly steps: readonly Step[]
  /** Weights that the plan multiplies by, in plan order. */
  readonly weights: readonly WeightUse[]
  /** Biases that are in pieces as their matrices are, in plan order. */
  readonly splitBiases: readonly BiasUse[]
  /** What the owner learns beside the result: whether all values were in range, in plan order. */
  readonly alarms: readonly Alarm[]
}

/** Released numbers that say whether a row's values at a place of the model are within their rings: all of them are `good`. */
export interface Alarm {
  readonly value: Released
  readonly good: 'zero' | 'nonzero'
  /** For people. */
  readonly place: string
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
  /** Of a private weight: the keystream of the owner's mask of what it multiplies, which several weights may read. */
  readonly maskStream?: number
  /** `split`: private, and in pieces, of which no party has all. */
  readonly visibility: 'public' | 'private' | 'split'
}

/** Collects steps; ops call `step` with their typed outcome and views. */
export class PlanBuilder {
  readonly steps: Step[] = []
  readonly weights: WeightUse[] = []
  readonly splitBiases: BiasUse[] = []
  readonly alarms: Alarm[] = []

  /**
   * Adds a step whose views read `ins`, or what its body says each party needs. Throws `RangeError` where the step
   * deals more slots than it has streams, or two of one name.
   */
  step<V extends Value>(
    op: string,
    out: Unplaced<V>,
    ins: readonly Value[],
    body: (id: number) => StepBody<V>,
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

  /** The plan; nothing is added to it any more. */
  finish(): Plan {
    const { steps, weights, splitBiases, alarms } = this
    return { steps, weights, splitBiases, alarms }
  }
}
