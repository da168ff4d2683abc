import { chacha20 } from '@noble/ciphers/chacha.js'
import {
  checkDifference,
  checkKeystream,
  checkLoad,
  checkMatmul,
  checkPolynomials,
  checkRotated,
  checkRotating,
  checkTransformed,
  checkUnpack,
} from '../checks.ts'
import { plainContract } from '../contraction.ts'
import { demand } from '../error.ts'
import type { Kernels, Matrix, RotatingRows, RotationSpec } from '../kernels.ts'
import type { Operand, Program, Result } from '../program.ts'
import { checkBits, packedBytes } from '../sizes.ts'
import { oracleEvaluate } from './evaluate.ts'

class OracleMatrix implements Matrix {
  readonly k: number
  readonly n: number
  values: bigint[] | undefined

  constructor(values: bigint[], k: number, n: number) {
    this.values = values
    this.k = k
    this.n = n
  }

  free(): void {
    this.values = undefined
  }
}

class OracleRows implements RotatingRows {
  readonly spec: RotationSpec
  values: BigUint64Array | undefined

  constructor(values: BigUint64Array, spec: RotationSpec) {
    this.values = values
    this.spec = spec
  }

  free(): void {
    this.values = undefined
  }
}

/**
 * The reference twin of every fast kernel: BigInt and plain loops, written to be read. Its ChaCha20 is noble's, which has
 * nothing in common with ours; it throws on block 2^32 - 1, the last of a keystream.
 */
export function createOracleKernels(): Kernels {
  const pack: Kernels['pack'] = (values, bits) => {
    checkBits(bits)
    const out = new Uint8Array(packedBytes(values.length, bits))
    for (let at = 0; at < values.length * bits; at++) {
      const bit = (values[Math.floor(at / bits)] >> BigInt(at % bits)) & 1n
      out[at >> 3] |= Number(bit) << (at & 7)
    }
    return out
  }
  const unpack: Kernels['unpack'] = (bytes, bits, count) => {
    checkUnpack(bytes, bits, count)
    const out = new BigUint64Array(count)
    for (let at = 0; at < count * bits; at++) {
      const bit = (bytes[at >> 3] >> (at & 7)) & 1
      out[Math.floor(at / bits)] |= BigInt(bit) << BigInt(at % bits)
    }
    return out
  }
  return {
    name: 'oracle',
    keystream(key, nonce, byteOffset, out) {
      checkKeystream(key, nonce, byteOffset, out.length)
      if (out.length > 0) chacha20(key, nonce, new Uint8Array(out.length), out, byteOffset / 64)
    },
    blocks(key, stream, places) {
      const out = new Uint8Array((places.length / 3) * 64)
      for (let i = 0; i < places.length; i += 3) {
        const nonce = new Uint8Array(Uint32Array.of(stream, places[i + 1], places[i + 2]).buffer)
        out.set(chacha20(key, nonce, new Uint8Array(64), undefined, places[i]), (i / 3) * 64)
      }
      return out
    },
    load(data, k, n): Matrix {
      checkLoad(data, k, n)
      return new OracleMatrix(Array.from(data, BigInt), k, n)
    },
    matmul(a, m, b, bits) {
      demand(b instanceof OracleMatrix, 'the matrix was loaded by other kernels')
      checkMatmul(a, m, b.k, bits)
      const { k, n, values } = b
      demand(values !== undefined, 'the matrix was freed')
      const out = new BigUint64Array(m * n)
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0n
          for (let l = 0; l < k; l++) sum += a[i * k + l] * values[l * n + j]
          out[i * n + j] = BigInt.asUintN(bits, sum)
        }
      }
      return out
    },
    pack,
    unpack,
    packDifference(values, words, bits) {
      const width = checkDifference(values, words, bits)
      const less = values.map((v, i) => {
        let word = 0n
        for (let b = width - 1; b >= 0; b--) word = (word << 8n) | BigInt(words[i * width + b])
        return BigInt.asUintN(64, v - word)
      })
      return pack(less, bits)
    },
    keepRotating(rows, spec): RotatingRows {
      checkRotating(rows, spec)
      return new OracleRows(rows.slice(), spec)
    },
    packRotated(rows, masks, words, bits, out) {
      demand(rows instanceof OracleRows, 'other kernels keep the rows')
      const { spec, values } = rows
      demand(values !== undefined, 'the rows were freed')
      checkRotated(spec, masks, words, bits, out)
      const per = spec.entries * spec.words
      const turned = Array.from(masks, (mask) => {
        const place = mask % 2 ** spec.shift
        const cut = Math.floor(mask / 2 ** spec.shift) * spec.words
        const row = [...values.subarray(place * per, (place + 1) * per)]
        return [...row.slice(cut), ...row.slice(0, cut)]
      })
      out.set(this.packDifference(BigUint64Array.from(turned.flat()), words, bits))
    },
    transformed(samples, matrix, n, scale) {
      checkTransformed(samples, matrix, n)
      return BigUint64Array.from(samples, (_, i) => {
        let sum = 0
        for (let j = 0; j < n; j++) sum += matrix[(i % n) * n + j] * samples[i - (i % n) + j]
        return BigInt(Math.round(sum * scale))
      })
    },
    contract: plainContract,
    evaluate<R extends readonly Result[]>(p: Program<R>, operands: readonly Operand[], count: number): R {
      return oracleEvaluate({ pack, unpack }, p, operands, count) as unknown as R
    },
    polynomials(points, words, o) {
      const stride = checkPolynomials(points, words, o)
      const { n, groups, shift, scale } = o
      const out = new BigUint64Array(points.length * groups)
      points.forEach((point, i) => {
        const t = chebyshev(Number(BigInt.asUintN(shift, point)) / 2 ** shift, n, 2 ** scale)
        for (let g = 0; g < groups; g++) {
          let sum = 0n
          for (let k = 0; k < n; k++) sum += words[i * stride + g * n + k] * t[k]
          out[i * groups + g] = BigInt.asUintN(64, sum)
        }
      })
      return out
    },
  }
}

/** T_k(2 delta - 1) for k < n, rounded at `scale`. */
function chebyshev(delta: number, n: number, scale: number): bigint[] {
  const x = 2 * delta - 1
  const t = [1, x]
  while (t.length < n) t.push(2 * x * t[t.length - 1] - t[t.length - 2])
  return t.slice(0, n).map((v) => BigInt(Math.round(v * scale)))
}
