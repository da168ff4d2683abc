/** A model's tensors as the float reference multiplies by them. */
import type { ModelConfig, TensorLookup } from '../architectures/config.ts'
import { type Floats, transpose } from '../math.ts'
import type { Dense, LearnedNorm } from './graph.ts'
import { merged } from './lora.ts'
import { tensorShapes } from './tensors.ts'

/** Looks tensors up by name, adapters merged in, and prepares each matrix once. */
export class WeightTable {
  readonly #config: ModelConfig
  readonly #tensors: TensorLookup
  readonly #shapes: ReadonlyMap<string, readonly number[]>
  readonly #vectors = new Map<string, Float32Array>()
  readonly #oriented = new Map<string, Float32Array>()

  constructor(config: ModelConfig, tensors: TensorLookup) {
    this.#config = config
    this.#tensors = tensors
    this.#shapes = tensorShapes(config)
  }

  /** A tensor's data. Throws when it is missing or has another shape than the configuration says. */
  tensor(name: string): Float32Array {
    const known = this.#vectors.get(name)
    if (known) return known
    const tensor = this.#tensors.get(name)
    const shape = this.#shapes.get(name)
    if (!tensor || !shape) throw new Error(`The model has no tensor "${name}".`)
    if (tensor.shape.join() !== shape.join())
      throw new Error(`Tensor "${name}" has shape [${tensor.shape}], but the configuration says [${shape}].`)
    const data = merged(this.#config, this.#tensors, name)
    this.#vectors.set(name, data)
    return data
  }

  /** A norm's gain. */
  gain(norm: LearnedNorm): Floats {
    return gainOf(norm, this.tensor(norm.gain))
  }

  /** A matrix as `[out, in]`, the orientation whose rows a product reads fast. */
  matrix({ weight, inputs, outputs, layout, part }: Dense): Float32Array {
    let all = this.#oriented.get(weight)
    if (!all) {
      const stored = this.tensor(weight)
      all = layout === 'out-in' ? stored : transpose(stored, inputs, part?.of ?? outputs)
      this.#oriented.set(weight, all)
    }
    return part ? all.subarray(part.from * inputs, (part.from + outputs) * inputs) : all
  }

  /** A dense layer's bias `[out]`, if it has one. */
  bias({ bias, outputs, part }: Dense): Float32Array | undefined {
    if (bias === undefined) return undefined
    const from = part?.from ?? 0
    return this.tensor(bias).subarray(from, from + outputs)
  }
}

/** The gain that a stored one stands for. */
export const gainOf = (norm: LearnedNorm, stored: Float32Array): Floats => {
  const offset = norm.kind === 'rms' ? norm.offset : undefined
  return offset ? Float64Array.from(stored, (value) => value + offset) : stored
}
