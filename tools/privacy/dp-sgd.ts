import {
  gradientOf,
  keptBy,
  type Optimizer,
  type OptimizerState,
  Slots,
  type Vectors,
  type WeightDecay,
} from './optimizer.ts'

/** Velocity is momentum times the last one, plus the gradient. */
export interface DpSgdOptions extends WeightDecay {
  /** 0 for plain descent. */
  momentum: number
}

/** DP-SGD (Abadi et al. 2016) with heavy-ball momentum; works on privatised gradients. */
export class DpSgd implements Optimizer {
  steps = 0
  readonly #weights: Vectors
  readonly #options: DpSgdOptions
  readonly #slots: Slots

  constructor(weights: Vectors, options: DpSgdOptions = { momentum: 0, weightDecay: 0 }) {
    this.#weights = weights
    this.#options = options
    this.#slots = new Slots(weights, ['momentum'])
  }

  update(gradients: Vectors, learningRate: number): void {
    this.steps++
    for (const [name, data] of this.#weights) {
      const g = gradientOf(gradients, name, data.length)
      const velocity = this.#slots.get('momentum', name)
      const keep = keptBy(this.#options, name, learningRate)
      for (let i = 0; i < data.length; i++) {
        velocity[i] = this.#options.momentum * velocity[i] + g[i]
        data[i] = data[i] * keep - learningRate * velocity[i]
      }
    }
  }

  state = (): OptimizerState => ({ steps: this.steps, tensors: this.#slots.save() })

  restore({ steps, tensors }: OptimizerState): void {
    this.#slots.restore(tensors)
    this.steps = steps
  }
}
