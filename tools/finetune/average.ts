import type { Tensors } from '../../src/model/architectures/config.ts'

/**
 * Exponential average of weights over training, free of the start's bias (Polyak averaging): steadier than the last
 * step's, above all under noise, and in private training it costs no privacy.
 */
export class WeightAverage {
  readonly sums: Map<string, Float32Array>
  readonly #decay: number
  updates = 0

  /** `horizon` is how many steps the average reaches back; 0 or 1 follows the last step. */
  constructor(weights: Tensors, horizon: number) {
    this.#decay = Math.max(0, 1 - 1 / Math.max(1, horizon))
    this.sums = new Map([...weights].map(([name, { data }]) => [name, new Float32Array(data.length)]))
  }

  add(weights: Tensors): void {
    this.updates++
    for (const [name, { data }] of weights) {
      const sum = this.sums.get(name)!
      for (let i = 0; i < sum.length; i++) sum[i] += (1 - this.#decay) * (data[i] - sum[i])
    }
  }

  /** The averages; of no updates at all, the weights themselves. */
  values(weights: Tensors): Map<string, Float32Array> {
    if (this.updates === 0) return new Map([...weights].map(([name, { data }]) => [name, data]))
    const scale = 1 / (1 - this.#decay ** this.updates)
    return new Map([...this.sums].map(([name, sum]) => [name, sum.map((value) => value * scale)]))
  }
}
