import type { Tensors } from '../../src/model/architectures/config.ts'

export interface AdamWOptions {
  beta1: number
  beta2: number
  eps: number
  /** Decoupled decay, applied to matrices only: gains of the norms must stay near one. */
  weightDecay: number
  /** Gradients are scaled down to at most this global norm. */
  clip: number
  /** Factor of the learning rate for a weight; 1 for all where there is none. */
  rate?: (name: string) => number
}

export const adamWDefaults: AdamWOptions = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, clip: 1 }

/** AdamW (Loshchilov and Hutter, 2019) with global-norm clipping; updates weights in place. */
export class AdamW {
  /** Running means of the gradient and of its square, by weight name. */
  readonly m = new Map<string, Float32Array>()
  readonly v = new Map<string, Float32Array>()
  /** Updates made so far. */
  steps = 0

  readonly weights: Tensors
  readonly options: AdamWOptions

  constructor(weights: Tensors, options: AdamWOptions = adamWDefaults) {
    this.weights = weights
    this.options = options
    for (const [name, { data }] of weights) {
      this.m.set(name, new Float32Array(data.length))
      this.v.set(name, new Float32Array(data.length))
    }
  }

  /** One update; returns the gradient's norm before clipping. */
  update(gradients: Map<string, Float32Array>, learningRate: number): number {
    const { beta1, beta2, eps, weightDecay, clip } = this.options
    const norm = globalNorm(gradients.values())
    if (!Number.isFinite(norm)) throw new Error(`Gradient norm is ${norm}: training diverged. Lower --lr.`)
    const scale = norm > clip ? clip / norm : 1
    this.steps++
    const correct1 = 1 / (1 - beta1 ** this.steps)
    const correct2 = 1 / (1 - beta2 ** this.steps)
    for (const [name, { shape, data }] of this.weights) {
      const g = gradients.get(name)!
      const m = this.m.get(name)!
      const v = this.v.get(name)!
      const rate = learningRate * (this.options.rate?.(name) ?? 1)
      const keep = 1 - rate * (shape.length > 1 ? weightDecay : 0)
      for (let i = 0; i < data.length; i++) {
        const gradient = g[i] * scale
        m[i] = beta1 * m[i] + (1 - beta1) * gradient
        v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient
        data[i] = data[i] * keep - (rate * m[i] * correct1) / (Math.sqrt(v[i] * correct2) + eps)
      }
    }
    return norm
  }
}

function globalNorm(vectors: Iterable<Float32Array>): number {
  let sum = 0
  for (const vector of vectors) for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i]
  return Math.sqrt(sum)
}

/** Linear warm-up to `peak`, then half a cosine down to a twentieth of it; `progress` is in [0, 1]. */
export function learningRate(progress: number, peak: number, warmup = 0.03): number {
  if (progress < warmup) return (peak * Math.max(progress, 1e-4)) / warmup
  const fall = Math.min(1, (progress - warmup) / (1 - warmup))
  return peak * (0.05 + 0.95 * 0.5 * (1 + Math.cos(Math.PI * fall)))
}
