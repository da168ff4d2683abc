import { wasmMatmul } from '../wasm/matmul.ts'
import { expandMatrix } from '../wasm/matrix.ts'
import type { Ring } from '../wasm/module.ts'
import { digitMatmul } from './matmul.ts'
import type { DigitProduct, ProductKind } from './products.ts'
import { schemeOf } from './scheme.ts'
import { matrixBias, matrixTiles } from './tiles.ts'

/** Products as protocols make them: rows of masks by secret matrices, in rings of usual widths. */
const [M, K, N] = [64, 768, 384]
const RINGS = [36, 58]

/** Times kinds of products on the same products, in milliseconds of the processor's. */
export interface Trial {
  digits(kind: ProductKind, multiply: DigitProduct): Promise<number>
  wasm(): number
}

/** Processor time of all threads: a busy machine adds little to it. */
function milliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

/** The trial of this machine. */
export function ringTrial(ring: Ring): Trial {
  const [key, nonce] = [new Uint8Array(32), new Uint8Array(12)]
  const cases = RINGS.map((bits) => ({ bits, b: expandMatrix(ring, key, nonce, 0, K, N, bits) }))
  const a = BigUint64Array.from({ length: M * K }, (_, i) =>
    BigInt.asUintN(64, BigInt(i) * 0x9e3779b97f4a7c15n),
  )
  return {
    /** Neither kind of product is charged for bringing a matrix to rest. */
    async digits(kind, multiply) {
      let ms = 0
      for (const { bits, b } of cases) {
        const scheme = schemeOf(kind, { k: K, bits, reach: b.reach })
        const tiles = [...matrixTiles(b, kind, scheme)]
        const started = process.cpuUsage()
        const shape = { m: M, k: K, n: N, scheme, bias: matrixBias(b, kind) }
        await digitMatmul(ring, kind, multiply, a, shape, tiles)
        ms += milliseconds(started)
      }
      return ms
    },
    wasm() {
      const started = process.cpuUsage()
      for (const { bits, b } of cases) wasmMatmul(ring, a, M, b, bits)
      return milliseconds(started)
    },
  }
}
