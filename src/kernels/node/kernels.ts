import { checkKeystream, checkMatmul } from '../checks.ts'
import type { Kernels } from '../kernels.ts'
import { kernelsOf } from '../wasm/kernels.ts'
import { ownMatrix, type WasmMatrix } from '../wasm/matrix.ts'
import { ringSync } from '../wasm/module.ts'
import { ownSigns, type WasmSigns } from '../wasm/signs.ts'
import { once, type ProductOptions } from './choice.ts'
import { opensslKeystream } from './keystream.ts'
import { digitMatmul, type RightTile } from './matmul.ts'
import type { ProductKind } from './products.ts'
import { type Scheme, schemeOf } from './scheme.ts'
import { matrixBias, matrixTiles } from './tiles.ts'

/** Below this many bytes the WASM keystream is done before OpenSSL has a cipher object. */
const OPENSSL_BYTES = 8 << 10
/** Elements of so many bits, their sign included, meet whole bytes on every processor: see scheme.ts. */
const SMALL_BITS = 7
/** From this many rows products of digits win for every element type, 1.2 to 8 times (measured). */
export const MANY_ROWS = 16

/**
 * Kernels for Node: WASM for short calls, OpenSSL for long keystreams, and for products of many rows whatever is exact and
 * fastest on this machine (`chooseProducts`).
 */
export function createNodeKernels(options: ProductOptions = {}): Kernels {
  const ring = ringSync()
  const wasm = kernelsOf(ring)
  const products = once(options)
  /** Digits made so far; dropped with their matrix. */
  const made = new WeakMap<WasmMatrix | WasmSigns, { scheme: Scheme; tiles: RightTile[] }>()

  function tilesOf(b: WasmMatrix | WasmSigns, kind: ProductKind, scheme: Scheme): RightTile[] {
    const known = made.get(b)
    // The lower digits of one width are the same however many there are.
    const enough =
      known && known.scheme.right === scheme.right && known.scheme.digits.length >= scheme.digits.length
    if (known && enough) return known.tiles
    const tiles = matrixTiles(b, kind, scheme)
    made.set(b, { scheme, tiles })
    return tiles
  }

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
      return digitMatmul(ring, kind, multiply, a, shape, tilesOf(own, kind, scheme))
    },
  }
}
