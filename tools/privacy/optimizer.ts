/** What the optimizers of private training share: weights in place, state that a checkpoint can hold. */

/** Weights, gradients or state by tensor name. */
export type Vectors = ReadonlyMap<string, Float32Array>

/** All an optimizer remembers; `tensors` are named `slot.weight` and belong to the reader. */
export interface OptimizerState {
  steps: number
  tensors: Map<string, Float32Array>
}

/** Reads privatised gradients alone, so that whatever it makes of them costs no privacy (post-processing). */
export interface Optimizer {
  /** Updates made so far. */
  readonly steps: number
  /** One update from privatised mean gradients (every weight has one), in place. */
  update(gradients: Vectors, learningRate: number): void
  /** A copy of the state, for a checkpoint. */
  state(): OptimizerState
  /** Continues from a saved state, exactly. Throws OptimizerStateError if it belongs to other weights. */
  restore(state: OptimizerState): void
}

/** A saved optimizer state that does not fit the weights. */
export class OptimizerStateError extends Error {
  override readonly name = 'OptimizerStateError'
}

/** Decay that no gradient goes through (Loshchilov and Hutter, 2019). */
export interface WeightDecay {
  /** Decoupled decay: each update first scales the weights by 1 - learningRate * weightDecay. */
  weightDecay: number
  /** Weights that do not decay: gains and biases. */
  undecayed?: ReadonlySet<string>
}

/** One running vector per weight and slot (a momentum, a second moment), all zero at the start. */
export class Slots {
  readonly #slots: Record<string, Map<string, Float32Array>> = {}
  readonly #weights: Vectors

  constructor(weights: Vectors, names: readonly string[]) {
    this.#weights = weights
    for (const name of names)
      this.#slots[name] = new Map([...weights].map(([key, { length }]) => [key, new Float32Array(length)]))
  }

  /** The running vector itself, to be changed in place. */
  get(slot: string, weight: string): Float32Array {
    return this.#slots[slot].get(weight)!
  }

  /** Copies, named `slot.weight`. */
  save(): Map<string, Float32Array> {
    return new Map(
      Object.entries(this.#slots).flatMap(([slot, map]) =>
        [...map].map(([weight, data]) => [`${slot}.${weight}`, data.slice()] as const),
      ),
    )
  }

  /**
   * Copies what was saved. Throws OptimizerStateError unless there is every tensor, in its length, and no
   * other.
   */
  restore(tensors: Vectors): void {
    const expected = Object.keys(this.#slots).length * this.#weights.size
    if (tensors.size !== expected)
      throw new OptimizerStateError(`The saved optimizer has ${tensors.size} tensors, not ${expected}.`)
    for (const [slot, map] of Object.entries(this.#slots))
      for (const [weight, data] of map) {
        const saved = tensors.get(`${slot}.${weight}`)
        if (saved?.length !== data.length)
          throw new OptimizerStateError(
            `The saved optimizer has ${saved ? `${saved.length} elements` : 'no tensor'} for ${slot}.${weight}, ` +
              `not ${data.length}. It belongs to another model or optimizer.`,
          )
        data.set(saved)
      }
  }
}

/** The gradient of a weight; throws RangeError if it is missing or of another length. */
export function gradientOf(gradients: Vectors, name: string, length: number): Float32Array {
  const gradient = gradients.get(name)
  if (gradient?.length !== length)
    throw new RangeError(`The gradient of ${name} has ${gradient?.length ?? 'no'} elements, not ${length}.`)
  return gradient
}

/** What decay leaves of a weight in one update. */
export const keptBy = (
  { weightDecay, undecayed }: WeightDecay,
  name: string,
  learningRate: number,
): number => (undecayed?.has(name) ? 1 : 1 - learningRate * weightDecay)
