import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { matMulIntegerModel } from './onnx.ts'

/** u8 [m x k] times s8 [k x n], exact in s32 while k * 255 * 128 < 2^31. */
export type PlaneProduct = (
  a: Uint8Array,
  m: number,
  k: number,
  b: Int8Array,
  n: number,
) => Promise<Int32Array>

/** Largest k for which a sum of u8 x s8 products cannot leave 32 bits. */
export const EXACT_K = Math.floor((2 ** 31 - 1) / (255 * 128))

/**
 * ONNX Runtime's MatMulInteger as a plane product. Some CPUs without VNNI add pairs of 8-bit products with
 * saturation, so the extremes are tried first.
 * @param threads 0 lets ONNX Runtime use every core.
 * @throws Error if the runtime cannot be loaded or gives a wrong product.
 */
export async function createPlaneProduct(threads: number): Promise<PlaneProduct> {
  const ort = await import('onnxruntime-node')
  const session: InferenceSession = await ort.InferenceSession.create(matMulIntegerModel(), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // idle workers must not burn the cores the protocol runs on
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
  const multiply: PlaneProduct = async (a, m, k, b, n) => {
    const feeds: Record<string, Tensor> = {
      a: new ort.Tensor('uint8', a, [m, k]),
      b: new ort.Tensor('int8', b, [k, n]),
    }
    return (await session.run(feeds)).y.data as Int32Array
  }
  const [m, k, n] = [5, 259, 33]
  for (const value of [-128, 127]) {
    const y = await multiply(new Uint8Array(m * k).fill(255), m, k, new Int8Array(k * n).fill(value), n)
    if (y.some((v) => v !== 255 * k * value)) throw new Error('MatMulInteger saturates on this CPU')
  }
  return multiply
}

const made = new Map<number, Promise<PlaneProduct | undefined>>()

/** The process's plane product with so many threads; `undefined` where the runtime is missing or inexact. */
export function planeProduct(threads: number): Promise<PlaneProduct | undefined> {
  let product = made.get(threads)
  if (!product) {
    product = createPlaneProduct(threads).catch(() => undefined)
    made.set(threads, product)
  }
  return product
}
