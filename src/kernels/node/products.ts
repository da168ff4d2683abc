import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { KernelError } from '../error.ts'
import { matMulFloatModel, matMulIntegerModel } from './onnx.ts'

/**
 * How a product of ring elements is taken apart for the runtime: bytes of both sides (`u8s8`, unsigned and signed); 7-bit
 * digits by bytes (`u7s8`), which no x86 processor saturates; signed bytes of both (`s8s8`); or digits as wide as float64
 * adds up exactly (`float64`).
 */
export const productKinds = ['u8s8', 'u7s8', 's8s8', 'float64'] as const
/** One of them. */
export type ProductKind = (typeof productKinds)[number]

/** Digits of a matrix, row by row. */
export type Digits = Uint8Array | Int8Array | Int32Array
/** Sums of products of digits, row by row. */
export type Sums = Int32Array | BigInt64Array

/** Digits a [m x k] times digits b [k x n]: sums [m x n], each exact within the limits of the kind (scheme.ts). */
export type DigitProduct = (a: Digits, m: number, k: number, b: Digits, n: number) => Promise<Sums>

/** A kind of product, ready to run. */
export interface LoadedProduct {
  readonly multiply: DigitProduct
  release(): Promise<void>
}

/** Loads a kind of product; @param threads 0 for as many as there are cores. Throws where the machine has none. */
export type ProductRuntime = (kind: ProductKind, threads: number) => Promise<LoadedProduct>

/** The typed arrays of a kind's operands, and of its sums. */
export const operandsOf = {
  u8s8: { left: Uint8Array, right: Int8Array, sums: Int32Array },
  u7s8: { left: Uint8Array, right: Int8Array, sums: Int32Array },
  s8s8: { left: Int8Array, right: Int8Array, sums: Int32Array },
  float64: { left: Int32Array, right: Int32Array, sums: BigInt64Array },
} as const

const tensorTypes = { 1: { u: 'uint8', s: 'int8' }, 4: { u: 'int32', s: 'int32' } } as const

/** ONNX Runtime's products on the processor. */
export const onnxRuntime: ProductRuntime = async (kind, threads) => {
  const ort = await import('onnxruntime-node')
  const model =
    kind === 'float64' ? matMulFloatModel() : matMulIntegerModel(kind === 's8s8' ? 'int8' : 'uint8')
  const session: InferenceSession = await ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // idle workers must not burn the cores the protocol runs on
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
  const tensor = (data: Digits, dims: number[]): Tensor => {
    const type = tensorTypes[data.BYTES_PER_ELEMENT as 1 | 4][data instanceof Uint8Array ? 'u' : 's']
    return new ort.Tensor(type, data as never, dims)
  }
  return {
    async multiply(a, m, k, b, n) {
      const feeds = { a: tensor(a, [m, k]), b: tensor(b, [k, n]) }
      return (await session.run(feeds)).y.data as Sums
    },
    release: () => session.release(),
  }
}

/** Digits at the ends of their ranges, where sums of two or four saturate if ever they do. */
const extremes: Record<ProductKind, readonly (readonly [left: number, right: number])[]> = {
  u8s8: [
    [255, -128],
    [255, 127],
  ],
  u7s8: [
    [127, -128],
    [127, 127],
    // digits of a byte by those of 7 bits: see scheme.ts
    [255, -64],
    [255, 63],
  ],
  s8s8: [
    [-128, -128],
    [-128, 127],
    [127, -128],
    [127, 127],
  ],
  float64: [
    [2 ** 22 - 1, 2 ** 22 - 1],
    [2 ** 22 - 1, 1 - 2 ** 22],
  ],
}

/** Few rows and many, which runtimes multiply by other code; no size is a multiple of a register's. */
const SHAPES = [
  [5, 259, 33],
  [70, 259, 67],
] as const

/**
 * Multiplies extremes, alone and mixed with other digits, whose sums are known.
 * @throws KernelError where a sum is wrong: some processors add pairs of 8-bit products with saturation.
 */
export async function checkProduct(kind: ProductKind, multiply: DigitProduct): Promise<void> {
  const { left, right } = operandsOf[kind]
  for (const [m, k, n] of SHAPES)
    for (const [u, v] of extremes[kind]) {
      const [a, b] = [new left(m * k).fill(u), new right(k * n).fill(v)]
      // Every other row, and every other element of the columns, hold anything between.
      for (let r = 1; r < m; r += 2) for (let i = 0; i < k; i++) a[r * k + i] = Math.trunc((u * (i % 7)) / 6)
      for (let i = 1; i < b.length; i += 2) b[i] = Math.trunc((v * (i % 5)) / 4)
      const y = await multiply(a, m, k, b, n)
      for (let c = 0; c < n; c++) {
        const want = [0, 0]
        for (let i = 0; i < k; i++) for (const r of [0, 1]) want[r] += a[r * k + i] * b[i * n + c]
        for (let r = 0; r < m; r++)
          if (Number(y[r * n + c]) !== want[r % 2])
            throw new KernelError(`${kind} products are not exact here`)
      }
    }
}
