/**
 * The one ONNX model Sotto needs, written by hand in protobuf wire format (onnx.proto3): y = MatMulInteger(a, b)
 * with a: u8 [m, k], b: s8 [k, n], y: s32 [m, n], all sizes open.
 */

const UINT8 = 2
const INT8 = 3
const INT32 = 6

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
function matrix(name: string, type: number, rows: string, columns: string): number[] {
  const shape = [rows, columns].flatMap((size) => message(1, text(2, size)))
  return [...text(1, name), ...message(2, message(1, [...integer(1, type), ...message(2, shape)]))]
}

/** ModelProto: IR version 8, operator set 13. */
export function matMulIntegerModel(): Uint8Array {
  const node = [...text(1, 'a'), ...text(1, 'b'), ...text(2, 'y'), ...text(4, 'MatMulInteger')]
  const graph = [
    ...message(1, node),
    ...text(2, 'product'),
    ...message(11, matrix('a', UINT8, 'm', 'k')),
    ...message(11, matrix('b', INT8, 'k', 'n')),
    ...message(12, matrix('y', INT32, 'm', 'n')),
  ]
  return Uint8Array.from([...integer(1, 8), ...message(7, graph), ...message(8, integer(2, 13))])
}
