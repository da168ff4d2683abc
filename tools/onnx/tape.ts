import { type Attribute, type ElementType, encodeModel, type GraphProto } from '../../src/model/files/onnx.ts'

/** A tensor that will exist when the graph runs. */
export interface Value {
  name: string
  shape: number[]
}

const size = (shape: number[]): number => shape.reduce((a, b) => a * b, 1)

/**
 * Builds an ONNX graph forwards and, from the same calls, backwards: each operation leaves a
 * closure that turns the gradient of its result into gradients of its inputs.
 */
export class Tape {
  readonly #graph: GraphProto = { nodes: [], initializers: [], inputs: [], outputs: [] }
  readonly #steps: Array<() => void> = []
  readonly #gradients = new Map<Value, Value>()
  readonly #axes = new Map<string, Value>()

  #name(): string {
    return `v${this.#graph.nodes.length}_${this.#graph.initializers.length}`
  }

  input(name: string, shape: number[], type: ElementType = 'float'): Value {
    this.#graph.inputs.push({ name, shape, type })
    return { name, shape }
  }

  output(name: string, value: Value, type: ElementType = 'float'): void {
    this.#emit('Identity', [value], [name], {})
    this.#graph.outputs.push({ name, shape: value.shape, type })
  }

  constant(data: Float32Array | BigInt64Array, shape: number[]): Value {
    const name = this.#name()
    this.#graph.initializers.push({ name, shape, data })
    return { name, shape }
  }

  scalar(value: number): Value {
    return this.constant(Float32Array.of(value), [])
  }

  /** Integers that operators take as inputs (axes, shapes), shared between uses. */
  integers(...values: number[]): Value {
    const key = values.join()
    let known = this.#axes.get(key)
    if (!known) {
      known = this.constant(BigInt64Array.from(values, BigInt), [values.length])
      this.#axes.set(key, known)
    }
    return known
  }

  /** Emit one operator with one result of the given shape. */
  op(type: string, inputs: Value[], shape: number[], attributes: Record<string, Attribute> = {}): Value {
    const name = this.#name()
    this.#emit(type, inputs, [name], attributes)
    return { name, shape }
  }

  /** Parts of such widths along the last axis. */
  split(x: Value, widths: readonly number[]): Value[] {
    const name = this.#name()
    const out = widths.map((width, i) => ({
      name: `${name}_part${i}`,
      shape: [...x.shape.slice(0, -1), width],
    }))
    this.#emit(
      'Split',
      [x, this.integers(...widths)],
      out.map((part) => part.name),
      { axis: -1 },
    )
    return out
  }

  #emit(type: string, inputs: Value[], outputs: string[], attributes: Record<string, Attribute>): void {
    const domain = type === 'FusedMatMul' ? 'com.microsoft' : ''
    this.#graph.nodes.push({ op: type, domain, inputs: inputs.map((v) => v.name), outputs, attributes })
  }

  /** Element-wise operator on values of one shape, or with broadcasting to the first's shape. */
  map(type: string, x: Value, ...others: Value[]): Value {
    return this.op(type, [x, ...others], x.shape)
  }

  /** Matrix product of the last two axes, with either side transposed. */
  product(a: Value, b: Value, transpose: { a?: boolean; b?: boolean } = {}, alpha = 1): Value {
    const rows = a.shape.at(transpose.a ? -1 : -2)!
    const columns = b.shape.at(transpose.b ? -2 : -1)!
    return this.op('FusedMatMul', [a, b], [...a.shape.slice(0, -2), rows, columns], {
      transA: transpose.a ? 1 : 0,
      transB: transpose.b ? 1 : 0,
      alpha: { float: alpha },
    })
  }

  reshape(x: Value, shape: number[]): Value {
    if (size(x.shape) !== size(shape)) throw new RangeError(`Cannot reshape [${x.shape}] to [${shape}]`)
    return this.op('Reshape', [x, this.integers(...shape)], shape)
  }

  transpose(x: Value, order: number[]): Value {
    const shape = order.map((axis) => x.shape[axis])
    return this.op('Transpose', [x], shape, { perm: order })
  }

  /** Sum over the last axis, which stays with size one. */
  sumLast(x: Value): Value {
    return this.op('ReduceSum', [x, this.integers(-1)], [...x.shape.slice(0, -1), 1])
  }

  /** Sum over the second axis of three, which goes. */
  sumMiddle(x: Value): Value {
    return this.op('ReduceSum', [x, this.integers(1)], [x.shape[0], x.shape[2]], { keepdims: 0 })
  }

  /** Sum over the first axis, which goes. */
  sumFirst(x: Value): Value {
    return this.op('ReduceSum', [x, this.integers(0)], x.shape.slice(1), { keepdims: 0 })
  }

  /** Registers how the gradient of `result` flows back. */
  derivative(result: Value, backward: (gradient: Value) => void): Value {
    this.derivatives([result], ([gradient]) => backward(gradient))
    return result
  }

  /** Registers how the gradients of several results flow back, all of which must be used or none. */
  derivatives(results: Value[], backward: (gradients: Value[]) => void): Value[] {
    this.#steps.push(() => {
      const gradients = results.map((result) => this.#gradients.get(result)).filter((g) => g !== undefined)
      if (gradients.length === results.length) backward(gradients)
    })
    return results
  }

  /** Add to the gradient of `value`. */
  accumulate(value: Value, gradient: Value): void {
    const sum = this.#gradients.get(value)
    this.#gradients.set(value, sum ? this.map('Add', sum, gradient) : gradient)
  }

  /** Emit the backward half of the graph, from the last operation to the first. */
  backward(): void {
    for (const step of this.#steps.reverse()) step()
  }

  gradient(value: Value): Value {
    const gradient = this.#gradients.get(value)
    if (!gradient) throw new Error(`Nothing depends on ${value.name}`)
    return gradient
  }

  /** The graph as an ONNX file, without the operators that no output needs (gradients of frozen weights). */
  model(): Uint8Array {
    const needed = new Set(this.#graph.outputs.map(({ name }) => name))
    const nodes = this.#graph.nodes.toReversed().filter(({ inputs, outputs }) => {
      const used = outputs.some((name) => needed.has(name))
      if (used) for (const name of inputs) needed.add(name)
      return used
    })
    const initializers = this.#graph.initializers.filter(({ name }) => needed.has(name))
    return encodeModel({ ...this.#graph, nodes: nodes.toReversed(), initializers })
  }
}
