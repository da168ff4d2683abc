import { checkBlocks, checkExpand, checkKeystream, checkLoad, checkMatmul, checkRead } from '../checks.ts'
import type { Kernels, Matrix } from '../kernels.ts'
import { wasmContraction } from './contraction.ts'
import { wasmPrograms } from './evaluate.ts'
import { WasmKeystream } from './keystream.ts'
import { wasmMatmul } from './matmul.ts'
import { expandMatrix, loadMatrix, ownMatrix } from './matrix.ts'
import { type Ring, ringAsync, ringSync } from './module.ts'
import { wasmPacking } from './packing.ts'
import { wasmPolynomials } from './polynomials.ts'
import { wasmRotated } from './rotated.ts'
import { loadSigns, ownSigns, signMatmul } from './signs.ts'
import { wasmTransformed } from './transformed.ts'

/** Kernels over one instance of the module; `node/` builds on the same instance. */
export function kernelsOf(ring: Ring): Kernels {
  const streams = new WasmKeystream(ring)
  return {
    name: 'wasm-simd',
    keystream(key, nonce, byteOffset, out) {
      checkKeystream(key, nonce, byteOffset, out.length)
      streams.fill(key, nonce, byteOffset, out)
    },
    blocksInARow: 1,
    blocks(key, stream, places) {
      checkBlocks(key, places)
      return streams.blocks(key, stream, places)
    },
    load(data, k, n): Matrix {
      checkLoad(data, k, n)
      return loadSigns(ring, data, k, n) ?? loadMatrix(ring, data, k, n)
    },
    read(b, from, rows) {
      checkRead(b, from, rows)
      return (ownSigns(ring, b) ?? ownMatrix(ring, b)).read(from, rows)
    },
    expand(key, nonce, firstWord, k, n, bits): Matrix {
      checkExpand(key, nonce, firstWord, k, n, bits)
      return expandMatrix(ring, key, nonce, firstWord, k, n, bits)
    },
    matmul(a, m, b, bits) {
      checkMatmul(a, m, b.k, bits)
      const signs = ownSigns(ring, b)
      return signs ? signMatmul(ring, a, m, signs, bits) : wasmMatmul(ring, a, m, ownMatrix(ring, b), bits)
    },
    ...wasmPacking(ring),
    ...wasmRotated(ring),
    ...wasmTransformed(ring),
    ...wasmContraction(ring),
    ...wasmPrograms(ring),
    ...wasmPolynomials(ring),
  }
}

/** CPU kernels in WebAssembly SIMD, instantiated at once: for Node. Each call is a fresh instance. */
export function createWasmKernels(): Kernels {
  return kernelsOf(ringSync())
}

/** `createWasmKernels` for browsers. */
export async function createWasmKernelsAsync(): Promise<Kernels> {
  return kernelsOf(await ringAsync())
}
