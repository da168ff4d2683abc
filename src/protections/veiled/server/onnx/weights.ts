/** Layers that have weights, as parts of a graph. */
import type { Tensor, Tensors } from '../../../../model/architectures/config.ts'
import { EngineError } from '../engine.ts'
import type { Graph, Value } from './graph.ts'

/** A checkpoint's tensors as constants of a graph, each once. */
export class Weights {
  readonly #graph: Graph
  readonly #tensors: Tensors
  readonly #made = new Map<string, Value>()

  constructor(graph: Graph, tensors: Tensors) {
    this.#graph = graph
    this.#tensors = tensors
  }

  has(name: string): boolean {
    return this.#tensors.has(name)
  }

  /** Throws {@link EngineError} where it is missing. */
  tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name)
    if (!tensor) throw new EngineError(`The checkpoint has no tensor "${name}". Veil the model again.`)
    return tensor
  }

  constant(name: string): Value {
    const known = this.#made.get(name)
    if (known) return known
    const { data, shape } = this.tensor(name)
    const made = this.#graph.constant(data, shape)
    this.#made.set(name, made)
    return made
  }

  /** x W' + b with W `[out, in]`, and b where there is one. */
  dense(x: Value, prefix: string): Value {
    return this.#plus(this.#times(x, `${prefix}.weight`), `${prefix}.bias`)
  }

  /** x W' for a matrix `[out, in]` by its whole name. */
  head(x: Value, name: string): Value {
    return this.#times(x, name)
  }

  /** x W + b with W `[in, out]`, as GPT-2 has it. */
  conv(x: Value, prefix: string): Value {
    const product = this.#graph.op('MatMul', [x, this.constant(`${prefix}.weight`)])
    return this.#plus(product, `${prefix}.bias`)
  }

  layerNorm(x: Value, prefix: string, eps: number): Value {
    const parameters = [this.constant(`${prefix}.weight`), this.constant(`${prefix}.bias`)]
    return this.#graph.op('LayerNormalization', [x, ...parameters], { axis: -1, epsilon: { float: eps } })
  }

  rmsNorm(x: Value, prefix: string, eps: number): Value {
    const inputs = [x, this.constant(`${prefix}.weight`)]
    return this.#graph.op('SimplifiedLayerNormalization', inputs, { axis: -1, epsilon: { float: eps } })
  }

  #times(x: Value, name: string): Value {
    const attributes = { transA: 0, transB: 1, alpha: { float: 1 } }
    return this.#graph.contrib('FusedMatMul', [x, this.constant(name)], 1, attributes)[0]
  }

  #plus(x: Value, bias: string): Value {
    return this.has(bias) ? this.#graph.op('Add', [x, this.constant(bias)]) : x
  }
}
