import { rowNonce } from '../checks.ts'
import type { Kernels } from '../kernels.ts'
import { toWords } from '../vectors.ts'

/** The key of everything that vectors are made of. */
export const KEY = Uint8Array.from({ length: 32 }, (_, i) => i)

/**
 * Makes pseudorandom words of at most `bits` bits, fresh at every call, the first ones at the edges of the ring.
 * @param stream of the key: nobody else's.
 */
export function wordSource(
  kernels: Kernels,
  stream: number,
): (count: number, bits?: number) => BigUint64Array<ArrayBuffer> {
  let serial = 0n
  return (count, bits = 64) => {
    const bytes = new Uint8Array(count * 8)
    kernels.keystream(KEY, rowNonce(stream, serial++), 0, bytes)
    const out = toWords(bytes).map((v) => BigInt.asUintN(bits, v))
    const top = 1n << BigInt(bits - 1)
    const edges = [0n, top, top - 1n, 2n * top - 1n]
    for (let i = 0; i < Math.min(4, count - 1); i++) out[i] = edges[i]
    return out
  }
}
