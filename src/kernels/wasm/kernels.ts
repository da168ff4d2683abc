import {
  checkBlocks,
  checkDifference,
  checkExpand,
  checkKeystream,
  checkLoad,
  checkMatmul,
  checkPolynomials,
  checkUnpack,
} from '../checks.ts'
import type { Kernels, Matrix } from '../kernels.ts'
import type { Operand, Program, Result } from '../program.ts'
import { checkBits } from '../sizes.ts'
import { wasmContract } from './contraction.ts'
import { wasmEvaluator } from './evaluate.ts'
import { wasmBlocks, wasmKeystream } from './keystream.ts'
import { wasmMatmul } from './matmul.ts'
import { expandMatrix, loadMatrix, ownMatrix } from './matrix.ts'
import { type Ring, ringAsync, ringSync } from './module.ts'
import { wasmPack, wasmPackDifference, wasmUnpack } from './packing.ts'
import { wasmPolynomials } from './polynomials.ts'
import { keepRotating, packRotated } from './rotated.ts'
import { wasmTransformed } from './transformed.ts'

/** Kernels over one instance of the module; `node/` builds on the same instance. */
export function kernelsOf(ring: Ring): Kernels {
  const evaluate = wasmEvaluator(ring)
  return {
    name: 'wasm-simd',
    keystream(key, nonce, byteOffset, out) {
      checkKeystream(key, nonce, byteOffset, out.length)
      wasmKeystream(ring, key, nonce, byteOffset, out)
    },
    blocks(key, stream, places) {
      checkBlocks(key, places)
      return wasmBlocks(ring, key, stream, places)
    },
    load(data, k, n): Matrix {
      checkLoad(data, k, n)
      return loadMatrix(ring, data, k, n)
    },
    expand(key, nonce, firstWord, k, n, bits): Matrix {
      checkExpand(key, nonce, firstWord, k, n, bits)
      return expandMatrix(ring, key, nonce, firstWord, k, n, bits)
    },
    matmul(a, m, b, bits) {
      const own = ownMatrix(ring, b)
      checkMatmul(a, m, own.k, bits)
      return wasmMatmul(ring, a, m, own, bits)
    },
    pack(values, bits) {
      checkBits(bits)
      return wasmPack(ring, values, bits)
    },
    unpack(bytes, bits, count) {
      checkUnpack(bytes, bits, count)
      return wasmUnpack(ring, bytes, bits, count)
    },
    packDifference(values, words, bits) {
      return wasmPackDifference(ring, values, words, checkDifference(values, words, bits), bits)
    },
    keepRotating: (rows, spec) => keepRotating(ring, rows, spec),
    packRotated: (rows, masks, words, bits, out) => packRotated(ring, rows, masks, words, bits, out),
    transformed: (samples, matrix, n, scale) => wasmTransformed(ring, samples, matrix, n, scale),
    contract: (kind, terms, o) => wasmContract(ring, kind, terms, o),
    evaluate<R extends readonly Result[]>(p: Program<R>, operands: readonly Operand[], count: number): R {
      return evaluate(p, operands, count) as unknown as R
    },
    polynomials(points, words, o) {
      return wasmPolynomials(ring, points, words, checkPolynomials(points, words, o), o)
    },
  }
}

/** CPU kernels in WebAssembly SIMD, instantiated at once: for Node and Workers. Each call is a fresh instance. */
export function createWasmKernels(): Kernels {
  return kernelsOf(ringSync())
}

/** The same for a window, where browsers refuse to compile larger modules synchronously. */
export async function createWasmKernelsAsync(): Promise<Kernels> {
  return kernelsOf(await ringAsync())
}
