import type { Parameters } from './parameters.ts'
import type { Tape, Value } from './tape.ts'

/** One weight's share in the gradient of each example. */
interface Share {
  weight: Value
  /** Squared norm for each example, `[examples, 1]`. */
  squared: Value
  /** The sum over examples, each times its coefficient `[examples, 1]`; has the weight's shape. */
  weighted: (coefficient: Value) => Value
}

/** What leaves the graph: nothing of a single example but its norm, which the trainer keeps to itself. */
export interface ClippedSums {
  /** For each weight, sum over examples of min(1, clip / (norm + 1e-6)) times the example's gradient. */
  sums: Map<Value, Value>
  /** Norm of each example's gradient over all weights before clipping, `[examples, 1]`. */
  norms: Value
}

/**
 * Gradients clipped by example inside the graph (Abadi et al. 2016; the norms by products, as in ghost clipping of Li et
 * al. 2022). The n rows of every activation must be `examples` equal runs, one run for an example. The losses of the
 * examples must have been summed, not averaged. Weights that are not `trained` cost nothing.
 */
export class PerExample implements Parameters {
  readonly #tape: Tape
  readonly #examples: number
  readonly #trained: ReadonlySet<Value>
  readonly #shares: Share[] = []

  constructor(tape: Tape, examples: number, trained: ReadonlySet<Value>) {
    this.#tape = tape
    this.#examples = examples
    this.#trained = trained
  }

  matrix(weight: Value, left: Value, right: Value): void {
    if (!this.#isNew(weight)) return
    const t = this.#tape
    const [rows, width] = left.shape
    const length = rows / this.#examples
    const squaredRows = (v: Value) => t.sumLast(t.map('Mul', v, v))
    let squared: Value
    if (length === 1)
      // The gradient of one row is an outer product, whose norm is the product of the norms.
      squared = t.map('Mul', squaredRows(left), squaredRows(right))
    else {
      const split = (v: Value) => t.reshape(v, [this.#examples, length, v.shape[1]])
      const each = t.product(split(left), split(right), { a: true })
      squared = squaredRows(t.reshape(each, [this.#examples, width * right.shape[1]]))
    }
    const weighted = (coefficient: Value) => {
      const runs = t.reshape(left, [this.#examples, length * width])
      const scaled = t.reshape(t.map('Mul', runs, coefficient), left.shape)
      return t.product(scaled, right, { a: true })
    }
    this.#shares.push({ weight, squared, weighted })
  }

  vector(weight: Value, g: Value): void {
    if (!this.#isNew(weight)) return
    const t = this.#tape
    const [rows, width] = g.shape
    const runs = t.reshape(g, [this.#examples, rows / this.#examples, width])
    const each = t.sumMiddle(runs)
    const squared = t.sumLast(t.map('Mul', each, each))
    const weighted = (coefficient: Value) => t.sumFirst(t.map('Mul', each, coefficient))
    this.#shares.push({ weight, squared, weighted })
  }

  #isNew(weight: Value): boolean {
    if (!this.#trained.has(weight)) return false
    // Two uses would each have a norm of their own, and the norm of the sum is not known from them.
    if (this.#shares.some((share) => share.weight === weight))
      throw new Error(`The weight "${weight.name}" is used twice; it cannot be clipped by example.`)
    return true
  }

  /** After the backward pass: the clipped sums, for a `clip` `[]` that is fed when the graph runs. */
  clipped(clip: Value): ClippedSums {
    const t = this.#tape
    const found = new Set(this.#shares.map(({ weight }) => weight))
    for (const weight of this.#trained)
      if (!found.has(weight)) throw new Error(`The loss does not depend on "${weight.name}", or on its rows.`)
    const total = this.#shares.map(({ squared }) => squared).reduce((a, b) => t.map('Add', a, b))
    const norms = t.map('Sqrt', total)
    const ratio = t.op('Div', [clip, t.map('Add', norms, t.scalar(1e-6))], norms.shape)
    const coefficient = t.map('Min', ratio, t.scalar(1))
    return { norms, sums: new Map(this.#shares.map((s) => [s.weight, s.weighted(coefficient)])) }
  }
}
