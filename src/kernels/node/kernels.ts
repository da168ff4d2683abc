import { checkKeystream, checkMatmul } from '../checks.ts'
import type { Kernels } from '../kernels.ts'
import { kernelsOf } from '../wasm/kernels.ts'
import { ownMatrix } from '../wasm/matrix.ts'
import { ringSync } from '../wasm/module.ts'
import { ownSigns } from '../wasm/signs.ts'
import { once, type ProductOptions } from './choice.ts'
import { KeptDigits } from './kept-digits.ts'
import { opensslKeystream } from './keystream.ts'
import { digitMatmul } from './matmul.ts'
import { schemeOf } from './scheme.ts'
import { matrixBias } from './tiles.ts'

/** Below this many bytes the WASM keystream is done before OpenSSL has a cipher object. */
const OPENSSL_BYTES = 8 << 10
/** Elements of so many bits, their sign included, meet whole bytes on every processor: see scheme.ts. */
const SMALL_BITS = 7
/** From this many rows products of digits win for every element type, 1.2 to 8 times (measured). */
export const MANY_ROWS = 16

/** Digits that are kept beside their matrices, where nothing else is said. */
const DIGIT_BYTES = 256 << 20

/** How products of many rows are made, and in how much memory. */
export interface NodeKernelOptions extends ProductOptions {
  /** Bytes of digits that are kept beside their matrices; beyond them digits are made anew for every product. */
  readonly digitBytes?: number
}

/**
 * Kernels for Node: WASM for short calls, OpenSSL for long keystreams, and for products of many rows whatever is exact and
 * fastest on this machine (`chooseProducts`).
 */
export function createNodeKernels(options: NodeKernelOptions = {}): Kernels {
  const ring = ringSync()
  const wasm = kernelsOf(ring)
  const products = once(options)
  const digits = new KeptDigits(options.digitBytes ?? DIGIT_BYTES)

  return {
    ...wasm,
    name: 'node (wasm-simd, openssl, onnxruntime)',
    blocksInARow: 2,
    keystream(key, nonce, byteOffset, out) {
      if (out.length < OPENSSL_BYTES) return wasm.keystream(key, nonce, byteOffset, out)
      checkKeystream(key, nonce, byteOffset, out.length)
      opensslKeystream(key, nonce, byteOffset, out)
    },
    async matmulAsync(a, m, b, bits) {
      const own = ownSigns(ring, b) ?? ownMatrix(ring, b)
      checkMatmul(a, m, own.k, bits)
      const { k, n } = own
      if (m < MANY_ROWS || k * n === 0) return wasm.matmul(a, m, own, bits)
      const choice = await products()
      const isSmall = own.reach <= SMALL_BITS && choice.small !== undefined
      const [kind, multiply] = isSmall ? (['u7s8', choice.small] as const) : [choice.kind, choice.multiply]
      if (kind === 'wasm' || !multiply) return wasm.matmul(a, m, own, bits)
      const scheme = schemeOf(kind, { k, bits, reach: own.reach })
      const shape = { m, k, n, scheme, bias: matrixBias(own, kind) }
      return digits.during(own, kind, scheme, (tiles) => digitMatmul(ring, kind, multiply, a, shape, tiles))
    },
  }
}
