/** Graphs whose sizes are known only when they run, as ONNX files. */
import {
  type Attribute,
  type ElementType,
  encodeModel,
  type GraphProto,
  type TensorProto,
} from '../../../../model/files/onnx.ts'

/** A tensor that will exist when the graph runs, by its name; '' is one that an operator does without. */
export type Value = string

const CONTRIB = 'com.microsoft'

export class Graph {
  readonly #graph: GraphProto = { nodes: [], initializers: [], inputs: [], outputs: [] }
  readonly #integers = new Map<string, Value>()
  #count = 0

  input(name: string, shape: readonly (number | string)[], type: ElementType = 'float'): Value {
    this.#graph.inputs.push({ name, shape, type })
    return name
  }

  output(name: string, value: Value, type: ElementType = 'float'): void {
    this.#emit('Identity', [value], [name], {}, '')
    this.#graph.outputs.push({ name, type })
  }

  constant(data: TensorProto['data'], shape: readonly number[]): Value {
    const name = this.#name()
    this.#graph.initializers.push({ name, shape: [...shape], data })
    return name
  }

  scalar(value: number): Value {
    return this.constant(Float32Array.of(value), [])
  }

  /** Integers that operators take as inputs (axes, shapes), shared between uses. */
  integers(...values: number[]): Value {
    const key = values.join()
    const known =
      this.#integers.get(key) ?? this.constant(BigInt64Array.from(values, BigInt), [values.length])
    this.#integers.set(key, known)
    return known
  }

  /** One operator with one result. */
  op(type: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.ops(type, inputs, 1, attributes)[0]
  }

  /** One operator with several results. */
  ops(
    type: string,
    inputs: readonly Value[],
    results: number,
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): Value[] {
    const outputs = Array.from({ length: results }, () => this.#name())
    this.#emit(type, inputs, outputs, attributes, domain)
    return outputs
  }

  /** One operator of ONNX Runtime's own, with as many results. */
  contrib(
    type: string,
    inputs: readonly Value[],
    results: number,
    attributes: Record<string, Attribute>,
  ): Value[] {
    return this.ops(type, inputs, results, attributes, CONTRIB)
  }

  /** The graph as an ONNX file. */
  model(): Uint8Array {
    return encodeModel(this.#graph)
  }

  #name(): Value {
    return `v${this.#count++}`
  }

  #emit(
    op: string,
    inputs: readonly Value[],
    outputs: string[],
    attributes: Record<string, Attribute>,
    domain: string,
  ): void {
    this.#graph.nodes.push({ op, domain, inputs: [...inputs], outputs, attributes })
  }
}
