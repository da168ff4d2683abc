import { checkKeystream, checkMatmul } from '../checks.ts'
import type { Kernels } from '../kernels.ts'
import { kernelsOf } from '../wasm/kernels.ts'
import { ownMatrix, type WasmMatrix } from '../wasm/matrix.ts'
import { ringSync } from '../wasm/module.ts'
import { opensslKeystream } from './keystream.ts'
import { planeMatmul } from './matmul.ts'
import { createPlaneProduct, EXACT_K, type PlaneProduct } from './planes.ts'

/** Below this many bytes the WASM keystream is done before OpenSSL has a cipher object. */
const OPENSSL_BYTES = 8 << 10
/** From this many rows byte planes win for every element type, 1.2 to 8 times (measured; see bench.ts). */
const PLANE_ROWS = 16

interface Options {
  /** Threads for `matmulAsync`; 0, the default, lets ONNX Runtime use every core. */
  threads?: number
}

/**
 * Kernels for Node: WASM for short calls, OpenSSL for long keystreams, ONNX Runtime's 8-bit matrix product on
 * byte planes for many rows. Where ONNX Runtime is missing or inexact, `matmulAsync` is the WASM product.
 */
export function createNodeKernels(options: Options = {}): Kernels {
  const ring = ringSync()
  const wasm = kernelsOf(ring)
  let product: Promise<PlaneProduct | undefined> | undefined
  /** Byte planes made so far, dropped with their matrix. */
  const planes = new WeakMap<WasmMatrix, Int8Array[]>()

  return {
    ...wasm,
    name: 'node (wasm-simd, openssl, onnxruntime)',
    keystream(key, nonce, byteOffset, out) {
      if (out.length < OPENSSL_BYTES) return wasm.keystream(key, nonce, byteOffset, out)
      checkKeystream(key, nonce, byteOffset, out.length)
      opensslKeystream(key, nonce, byteOffset, out)
    },
    async matmulAsync(a, m, b, bits) {
      const own = ownMatrix(ring, b)
      checkMatmul(a, m, own.k, bits)
      if (m < PLANE_ROWS || own.k > EXACT_K || own.k * own.n === 0) return wasm.matmul(a, m, own, bits)
      product ??= createPlaneProduct(options.threads ?? 0).catch(() => undefined)
      const multiply = await product
      if (!multiply) return wasm.matmul(a, m, own, bits)
      const cache = planes.get(own) ?? []
      planes.set(own, cache)
      return planeMatmul(ring, multiply, cache, a, m, own, bits)
    },
  }
}
