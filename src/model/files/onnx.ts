/**
 * Just enough protobuf to write an ONNX model.
 * Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

export type Attribute = number | { float: number } | number[]

export interface NodeProto {
  op: string
  domain: string
  inputs: string[]
  outputs: string[]
  attributes: Record<string, Attribute>
}

export interface TensorProto {
  name: string
  shape: number[]
  data: Float32Array | Int32Array | BigInt64Array
}

/** A size that has a name is known only when the graph runs; a value without a shape has whatever comes of it. */
export interface ValueProto {
  name: string
  shape?: readonly (number | string)[]
  type: ElementType
}

export interface GraphProto {
  nodes: NodeProto[]
  initializers: TensorProto[]
  inputs: ValueProto[]
  outputs: ValueProto[]
}

export type ElementType = 'float' | 'int32' | 'int64' | 'bool'

const elementCode: Record<ElementType, number> = { float: 1, int32: 6, int64: 7, bool: 9 }

const elementOf = (data: TensorProto['data']): ElementType =>
  data instanceof Float32Array ? 'float' : data instanceof Int32Array ? 'int32' : 'int64'
const attributeType = { float: 1, int: 2, ints: 7 }

type Bytes = number[] | Uint8Array

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value))
  const out: number[] = []
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  out.push(Number(rest))
  return out
}

const integer = (field: number, value: number): Bytes[] => [varint(field << 3), varint(value)]

const chunk = (field: number, body: Bytes): Bytes[] => [varint((field << 3) | 2), varint(body.length), body]

const text = (field: number, value: string): Bytes[] => chunk(field, new TextEncoder().encode(value))

const message = (field: number, parts: Bytes[]): Bytes[] => chunk(field, join(parts))

const float = (field: number, value: number): Bytes[] => [
  varint((field << 3) | 5),
  new Uint8Array(Float32Array.of(value).buffer),
]

function join(parts: Bytes[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function attribute(name: string, value: Attribute): Bytes[] {
  const head = text(1, name)
  if (typeof value === 'number') return [...head, ...integer(3, value), ...integer(20, attributeType.int)]
  if (Array.isArray(value))
    return [...head, ...value.flatMap((v) => integer(8, v)), ...integer(20, attributeType.ints)]
  return [...head, ...float(2, value.float), ...integer(20, attributeType.float)]
}

const node = ({ op, domain, inputs, outputs, attributes }: NodeProto): Bytes[] => [
  ...inputs.flatMap((name) => text(1, name)),
  ...outputs.flatMap((name) => text(2, name)),
  ...text(4, op),
  ...Object.entries(attributes).flatMap(([name, value]) => message(5, attribute(name, value))),
  ...text(7, domain),
]

const tensor = ({ name, shape, data }: TensorProto): Bytes[] => [
  ...shape.flatMap((size) => integer(1, size)),
  ...integer(2, elementCode[elementOf(data)]),
  ...text(8, name),
  ...chunk(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
]

const value = ({ name, shape, type }: ValueProto): Bytes[] => {
  const dimensions = shape?.flatMap((size) =>
    message(1, typeof size === 'number' ? integer(1, size) : text(2, size)),
  )
  const tensorType = join([
    ...integer(1, elementCode[type]),
    ...(dimensions ? chunk(2, join(dimensions)) : []),
  ])
  return [...text(1, name), ...message(2, chunk(1, tensorType))]
}

/** Serialise a graph as a complete model file. */
export function encodeModel(graph: GraphProto): Uint8Array {
  const body = join([
    ...graph.nodes.flatMap((item) => message(1, node(item))),
    ...text(2, 'step'),
    ...graph.initializers.flatMap((item) => message(5, tensor(item))),
    ...graph.inputs.flatMap((item) => message(11, value(item))),
    ...graph.outputs.flatMap((item) => message(12, value(item))),
  ])
  const opset = (domain: string, version: number) => message(8, [...text(1, domain), ...integer(2, version)])
  return join([...integer(1, 8), ...opset('', 17), ...opset('com.microsoft', 1), ...chunk(7, body)])
}
