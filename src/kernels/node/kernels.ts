import { checkKeystream, checkMatmul } from '../checks.ts'
import type { Kernels } from '../kernels.ts'
import { kernelsOf } from '../wasm/kernels.ts'
import { ownMatrix, type WasmMatrix } from '../wasm/matrix.ts'
import { ringSync } from '../wasm/module.ts'
import { opensslKeystream } from './keystream.ts'
import { mostRows, type PlaneTile, planeMatmul } from './matmul.ts'
import { planeProduct } from './planes.ts'

/** Below this many bytes the WASM keystream is done before OpenSSL has a cipher object. */
const OPENSSL_BYTES = 4 << 10
/** From this many rows byte planes win for every element type, 1.2 to 8 times (measured; see bench.ts). */
export const PLANE_ROWS = 16

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
  /** Byte planes made so far, for products of a number of bytes; dropped with their matrix. */
  const planes = new WeakMap<WasmMatrix, { bytes: number; tiles: PlaneTile[] }>()

  function tilesOf(b: WasmMatrix, bytes: number): PlaneTile[] {
    const known = planes.get(b)
    if (known && known.bytes >= bytes) return known.tiles
    const tiles: PlaneTile[] = []
    const most = mostRows(bytes)
    for (let from = 0; from < b.k; from += most) {
      const k = Math.min(most, b.k - from)
      tiles.push({ from, k, planes: b.planes(bytes, from, k) })
    }
    planes.set(b, { bytes, tiles })
    return tiles
  }

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
      if (m < PLANE_ROWS || own.k * own.n === 0) return wasm.matmul(a, m, own, bits)
      const multiply = await planeProduct(options.threads ?? 0)
      if (!multiply) return wasm.matmul(a, m, own, bits)
      const { k, n, width, planeBias: bias } = own
      const tiles = tilesOf(own, Math.min(width, Math.ceil(bits / 8)))
      return planeMatmul(ring, multiply, a, { m, k, n, bits, bias }, tiles)
    },
  }
}
