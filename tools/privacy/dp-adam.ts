/** Adam on privatised gradients: with decoupled decay (DP-AdamW), and with the noise's bias taken out (DP-AdamBC). */
import {
  gradientOf,
  keptBy,
  type Optimizer,
  type OptimizerState,
  Slots,
  type Vectors,
  type WeightDecay,
} from './optimizer.ts'

interface AdamOptions extends WeightDecay {
  beta1: number
  beta2: number
}

/** Both variants' moments; they differ in the denominator only. */
class DpAdam implements Optimizer {
  steps = 0
  readonly #weights: Vectors
  readonly #options: AdamOptions
  readonly #denominator: (secondMoment: number) => number
  readonly #slots: Slots

  constructor(weights: Vectors, options: AdamOptions, denominator: (secondMoment: number) => number) {
    this.#weights = weights
    this.#options = options
    this.#denominator = denominator
    this.#slots = new Slots(weights, ['m', 'v'])
  }

  update(gradients: Vectors, learningRate: number): void {
    const { beta1, beta2 } = this.#options
    this.steps++
    const correct1 = 1 / (1 - beta1 ** this.steps)
    const correct2 = 1 / (1 - beta2 ** this.steps)
    for (const [name, data] of this.#weights) {
      const g = gradientOf(gradients, name, data.length)
      const m = this.#slots.get('m', name)
      const v = this.#slots.get('v', name)
      const keep = keptBy(this.#options, name, learningRate)
      for (let i = 0; i < data.length; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i]
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
        data[i] = data[i] * keep - (learningRate * m[i] * correct1) / this.#denominator(v[i] * correct2)
      }
    }
  }

  state = (): OptimizerState => ({ steps: this.steps, tensors: this.#slots.save() })

  restore({ steps, tensors }: OptimizerState): void {
    this.#slots.restore(tensors)
    this.steps = steps
  }
}

/** `eps` is added to the root of the second moment. */
export interface DpAdamWOptions extends AdamOptions {
  eps: number
}

/** Adam's own (Kingma and Ba, 2015), without decay. */
const dpAdamWDefaults: DpAdamWOptions = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 }

/** DP-AdamW: AdamW (Loshchilov and Hutter 2019) on privatised gradients. */
export class DpAdamW extends DpAdam {
  constructor(weights: Vectors, options: Partial<DpAdamWOptions> = {}) {
    const all = { ...dpAdamWDefaults, ...options }
    super(weights, all, (v) => Math.sqrt(v) + all.eps)
  }
}

/** As DP-AdamW, but for the denominator. */
export interface DpAdamBCOptions extends AdamOptions {
  /** Floor of the corrected second moment: it bounds the step where noise hides the gradient. */
  gamma: number
}

/** Moments as in AdamW, without decay. */
const dpAdamBCDefaults: DpAdamBCOptions = { beta1: 0.9, beta2: 0.999, gamma: 7e-9, weightDecay: 0 }

/**
 * DP-AdamBC (Tang, Shpilevskiy and Lecuyer 2024): the noise adds (sigma clip / expectedBatch)^2 to Adam's second moment
 * in expectation, so that is subtracted: theta -= eta m^ / sqrt(max(v^ - (sigma clip / expectedBatch)^2, gamma)).
 */
export class DpAdamBC extends DpAdam {
  constructor(
    weights: Vectors,
    noise: { sigma: number; clip: number; expectedBatch: number },
    options: Partial<DpAdamBCOptions> = {},
  ) {
    const all = { ...dpAdamBCDefaults, ...options }
    const bias = ((noise.sigma * noise.clip) / noise.expectedBatch) ** 2
    super(weights, all, (v) => Math.sqrt(Math.max(v - bias, all.gamma)))
  }
}
