/** The two ONNX models that products of digits take, written by hand in protobuf wire format (onnx.proto3). */

const FLOAT64 = 11
const types = { uint8: 2, int8: 3, int32: 6, int64: 7 } as const

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]
}

function integer(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)]
}

function message(field: number, body: number[]): number[] {
  return [...varint((field << 3) | 2), ...varint(body.length), ...body]
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)])
}

/** ValueInfoProto of a matrix with symbolic sizes. */
function matrix(name: string, type: keyof typeof types, rows: string, columns: string): number[] {
  const shape = [rows, columns].flatMap((size) => message(1, text(2, size)))
  return [...text(1, name), ...message(2, message(1, [...integer(1, types[type]), ...message(2, shape)]))]
}

/** NodeProto. */
function node(op: string, inputs: string[], output: string, attributes: number[] = []): number[] {
  return message(1, [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, output),
    ...text(4, op),
    ...attributes,
  ])
}

/** A Cast's AttributeProto: its name, an integer, and that it is one. */
const castTo = (type: number): number[] =>
  message(5, [...text(1, 'to'), ...integer(3, type), ...integer(20, 2)])

/** ModelProto: IR version 8, operator set 13. */
function model(
  nodes: number[],
  left: keyof typeof types,
  right: keyof typeof types,
  sums: keyof typeof types,
): Uint8Array {
  const graph = [
    ...nodes,
    ...text(2, 'product'),
    ...message(11, matrix('a', left, 'm', 'k')),
    ...message(11, matrix('b', right, 'k', 'n')),
    ...message(12, matrix('y', sums, 'm', 'n')),
  ]
  return Uint8Array.from([...integer(1, 8), ...message(7, graph), ...message(8, integer(2, 13))])
}

/** y = MatMulInteger(a, b) with a: u8 or s8 [m, k], b: s8 [k, n], y: s32 [m, n], all sizes open. */
export function matMulIntegerModel(left: 'uint8' | 'int8'): Uint8Array {
  return model(node('MatMulInteger', ['a', 'b'], 'y'), left, 'int8', 'int32')
}

/** y = a b with a: s32 [m, k], b: s32 [k, n], y: s64 [m, n], multiplied and summed in float64, all sizes open. */
export function matMulFloatModel(): Uint8Array {
  const nodes = [
    ...node('Cast', ['a'], 'fa', castTo(FLOAT64)),
    ...node('Cast', ['b'], 'fb', castTo(FLOAT64)),
    ...node('MatMul', ['fa', 'fb'], 'fy'),
    ...node('Cast', ['fy'], 'y', castTo(types.int64)),
  ]
  return model(nodes, 'int32', 'int32', 'int64')
}
