import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import type { CachedRows, RowCache } from '../cache.ts'
import type { OracleContext } from '../context.ts'
import type { Plan } from '../plan.ts'
import type { AnyLanes, LaneBits, Lanes } from '../ring.ts'
import { type Shape, spanOf } from '../shape.ts'
import { checkedLanes } from '../step.ts'
import type { Masked, Opened, Share, Typed } from '../values.ts'

/** What the oracle is given: the weights, and the randomness that the result is a function of. */
export interface OracleHoldings {
  readonly kernels: Kernels
  readonly weights: ReadonlyMap<string, Matrix>
  readonly biases: ReadonlyMap<string, Lanes>
  readonly cache: RowCache
  readonly input: Lanes
  /** Rows of the pass that are padding; none where nothing is said. */
  readonly padding?: Uint8Array
  /** The owner's share of a truncated value. */
  ownerShare(value: Share): Lanes
  /** The whole mask of an opened value. */
  mask(value: Opened<LaneBits>): Lanes
  /** The server's keystream of a masked value. */
  serverMask(value: Masked): Lanes
}

/** A value that left the range its plan promises. */
export interface Violation {
  readonly step: number
  readonly op: string
  readonly what: string
}

/** The oracle: the same plan on plain integers. It computes what the shares must add up to, bit for bit. */
export class OraclePass implements OracleContext {
  readonly shape: Shape
  readonly kernels: Kernels
  readonly violations: Violation[] = []
  readonly #plan: Plan
  readonly #own: OracleHoldings
  readonly #values = new Map<number, AnyLanes>()

  constructor(plan: Plan, shape: Shape, own: OracleHoldings) {
    this.shape = shape
    this.kernels = own.kernels
    this.#plan = plan
    this.#own = own
  }

  /** Runs every step; returns the last value. */
  run(): AnyLanes {
    for (const step of this.#plan.steps) this.#values.set(step.id, checkedLanes(step, step.oracle(this)))
    return this.result(this.#plan.steps.length - 1)
  }

  /** A step's result. Throws `RangeError` before it has run. */
  result(id: number): AnyLanes {
    const lanes = this.#values.get(id)
    if (!lanes) throw new RangeError(`step ${id} has not run`)
    return lanes
  }

  /** Plain values mod 2^ring; an opened value's D = x + offset - a. */
  get<W extends LaneBits>(value: Typed<W>): Lanes<W> {
    return this.result(value.step) as Lanes<W>
  }

  ownerShare(value: Share): Lanes {
    return this.#own.ownerShare(value)
  }

  mask(value: Opened<LaneBits>): Lanes {
    return this.#own.mask(value)
  }

  serverMask(value: Masked): Lanes {
    return this.#own.serverMask(value)
  }

  input(): Lanes {
    return this.#own.input
  }

  padding(): Uint8Array {
    return this.#own.padding ?? new Uint8Array(spanOf(this.shape))
  }

  cache(name: string): CachedRows {
    return this.#own.cache.read(name, spanOf(this.shape))
  }

  remember(name: string, rows: CachedRows): void {
    this.#own.cache.write(name, this.shape.base, this.shape.rows, rows)
  }

  /** Throws `RangeError` for a weight that it was not given. */
  multiply(weight: string, a: Lanes, ring: number): Lanes {
    const matrix = this.#own.weights.get(weight)
    if (!matrix) throw new RangeError(`no weight '${weight}'`)
    return this.#own.kernels.matmul(a, a.length / matrix.k, matrix, ring)
  }

  bias(name: string): Lanes {
    const b = this.#own.biases.get(name)
    if (!b) throw new RangeError(`no bias '${name}'`)
    return b
  }

  /** Collected, not thrown: a pass goes on. */
  violation(step: number, what: string): void {
    this.violations.push({ step, op: this.#plan.steps[step].op, what })
  }
}
