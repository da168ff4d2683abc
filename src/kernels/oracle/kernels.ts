import { chacha20 } from '@noble/ciphers/chacha.js'
import { checkKeystream } from '../checks.ts'
import { plainContract } from '../contraction.ts'
import type { Kernels } from '../kernels.ts'
import { oraclePrograms } from './evaluate.ts'
import { oracleMatrices } from './matrix.ts'
import { oraclePacking } from './packing.ts'
import { oraclePolynomials } from './polynomials.ts'
import { oracleRotated } from './rotated.ts'
import { oracleTransformed } from './transformed.ts'

/**
 * The reference twin of every fast kernel: BigInt and plain loops, written to be read. Its ChaCha20 is noble's, which
 * has nothing in common with ours; it throws on block 2^32 - 1, the last of a keystream.
 */
export function createOracleKernels(): Kernels {
  return {
    name: 'oracle',
    keystream(key, nonce, byteOffset, out) {
      checkKeystream(key, nonce, byteOffset, out.length)
      if (out.length > 0) chacha20(key, nonce, new Uint8Array(out.length), out, byteOffset / 64)
    },
    blocksInARow: 1,
    blocks(key, stream, places) {
      const out = new Uint8Array((places.length / 3) * 64)
      for (let i = 0; i < places.length; i += 3) {
        const nonce = new Uint8Array(Uint32Array.of(stream, places[i + 1], places[i + 2]).buffer)
        out.set(chacha20(key, nonce, new Uint8Array(64), undefined, places[i]), (i / 3) * 64)
      }
      return out
    },
    contract: plainContract,
    ...oracleMatrices,
    ...oraclePacking,
    ...oracleRotated,
    ...oracleTransformed,
    ...oraclePrograms,
    ...oraclePolynomials,
  }
}
