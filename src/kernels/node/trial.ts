import { wasmMatmul } from '../wasm/matmul.ts'
import { expandMatrix } from '../wasm/matrix.ts'
import type { Ring } from '../wasm/module.ts'
import { digitMatmul } from './matmul.ts'
import type { DigitProduct, ProductKind } from './products.ts'
import { schemeOf } from './scheme.ts'
import { matrixBias, matrixTiles } from './tiles.ts'

/** A product as protocols make them: rows of masks by a secret matrix, in a ring of usual width. */
const [M, K, N, BITS] = [64, 512, 512, 36]

/** Times kinds of products on one and the same product, in milliseconds of the processor's. */
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
  const b = expandMatrix(ring, new Uint8Array(32), new Uint8Array(12), 0, K, N, 64)
  const a = BigUint64Array.from({ length: M * K }, (_, i) =>
    BigInt.asUintN(64, BigInt(i) * 0x9e3779b97f4a7c15n),
  )
  return {
    /** The matrix's digits are made anew, as those of fresh masks are. */
    async digits(kind, multiply) {
      const started = process.cpuUsage()
      const scheme = schemeOf(kind, { k: K, bits: BITS, reach: b.reach })
      const shape = { m: M, k: K, n: N, scheme, bias: matrixBias(b, kind) }
      await digitMatmul(ring, kind, multiply, a, shape, matrixTiles(b, kind, scheme))
      return milliseconds(started)
    },
    wasm() {
      const started = process.cpuUsage()
      wasmMatmul(ring, a, M, b, BITS)
      return milliseconds(started)
    },
  }
}
