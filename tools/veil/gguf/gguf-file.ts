/** GGUF version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): facts, a list of tensors, and their bytes. */

/** Types of facts, by the format's numbers. */
const valueType = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 }

/** A fact. Arrays are of one type. */
export type GgufValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly f32s: Float32Array }
  | { readonly i32s: Int32Array }

/** Types of tensors, by the format's numbers. */
export const ggmlType = { F32: 0, F16: 1, BF16: 30 } as const

/** One tensor: its shape row by row, as everywhere else, not in the format's own order. */
export interface GgufTensor {
  readonly name: string
  readonly type: keyof typeof ggmlType
  readonly shape: readonly number[]
  readonly bytes: number
}

/** Every tensor begins at a multiple of this. */
const ALIGNMENT = 32

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** The beginning of a file, up to its first tensor. They follow in the order given, each aligned. */
export function ggufHeader(
  facts: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Uint8Array {
  const out = new Bytes()
  out.raw(new TextEncoder().encode('GGUF')).u32(3).u64(tensors.length).u64(Object.keys(facts).length)
  for (const [key, value] of Object.entries(facts)) putFact(out.string(key), value)
  let offset = 0
  for (const { name, type, shape, bytes } of tensors) {
    out.string(name).u32(shape.length)
    for (const size of shape.toReversed()) out.u64(size)
    out.u32(ggmlType[type]).u64(offset)
    offset += aligned(bytes)
  }
  return out.padded()
}

function putFact(out: Bytes, value: GgufValue): void {
  if ('u32' in value) out.u32(valueType.u32).u32(value.u32)
  else if ('f32' in value) out.u32(valueType.f32).raw(Float32Array.of(value.f32))
  else if ('bool' in value) out.u32(valueType.bool).raw(Uint8Array.of(value.bool ? 1 : 0))
  else if ('string' in value) out.u32(valueType.string).string(value.string)
  else if ('strings' in value) {
    out.u32(valueType.array).u32(valueType.string).u64(value.strings.length)
    for (const text of value.strings) out.string(text)
  } else {
    const [type, all] = 'f32s' in value ? [valueType.f32, value.f32s] : [valueType.i32, value.i32s]
    out.u32(valueType.array).u32(type).u64(all.length).raw(all)
  }
}

/** Bytes that grow. */
class Bytes {
  #bytes = new Uint8Array(1 << 16)
  #length = 0

  raw(part: Uint8Array | Float32Array | Int32Array): this {
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
    while (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  u32(value: number): this {
    return this.raw(new Uint8Array(Uint32Array.of(value).buffer))
  }

  u64(value: number): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer))
  }

  string(text: string): this {
    const bytes = new TextEncoder().encode(text)
    return this.u64(bytes.length).raw(bytes)
  }

  padded(): Uint8Array {
    return this.raw(new Uint8Array(aligned(this.#length) - this.#length)).#bytes.subarray(0, this.#length)
  }
}
