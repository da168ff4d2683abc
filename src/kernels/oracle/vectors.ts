import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { rowNonce } from '../checks.ts'
import type { MatrixData, ProductSpec, StationarySpec } from '../kernels.ts'
import { digest, type Vectors, wordsHex } from '../vectors.ts'
import { createOracleProductDevice } from './device.ts'
import { createOracleKernels } from './kernels.ts'
import { KEY, wordSource } from './words.ts'

const kernels = createOracleKernels()
const WIDTHS = [1, 7, 8, 13, 16, 17, 31, 32, 33, 37, 48, 57, 58, 63, 64]
/** Begun anew whenever the vectors are made. */
let words = wordSource(kernels, 77)

function keystreams(): Vectors['keystream'] {
  // RFC 8439: section 2.4.2 (blocks 1 and 2), appendix A.1 test vectors 1 and 4; then serials on both sides of a carry
  const cases: [string, string, number, number][] = [
    [bytesToHex(KEY), '000000000000004a00000000', 64, 114],
    ['00'.repeat(32), '00'.repeat(12), 0, 64],
    [`00ff${'00'.repeat(30)}`, '00'.repeat(12), 128, 64],
    [bytesToHex(KEY), '07000000feffffff09000000', 192, 128],
    [bytesToHex(KEY), '07000000ffffffff09000000', 192, 128],
    [bytesToHex(KEY), '07000000000000000a000000', 192, 128],
  ]
  return cases.map(([key, nonce, offset, length]) => {
    const out = new Uint8Array(length)
    kernels.keystream(hexToBytes(key), hexToBytes(nonce), offset, out)
    return { key, nonce, offset, out: bytesToHex(out) }
  })
}

function packs(): Vectors['pack'] {
  return WIDTHS.map((bits) => {
    const values = words(11)
    return { bits, values: wordsHex(values), bytes: bytesToHex(kernels.pack(values, bits)) }
  })
}

function matmuls(): Vectors['matmul'] {
  const types = { i8: Int8Array, i16: Int16Array, i32: Int32Array, u64: BigUint64Array }
  const [m, k, n] = [2, 5, 3]
  return [11, 16, 29, 32, 37, 64].flatMap((bits) =>
    (Object.keys(types) as (keyof typeof types)[]).map((type) => {
      const a = words(m * k, bits)
      const b = words(k * n, type === 'u64' ? bits : 64)
      const size = { i8: 1, i16: 2, i32: 4, u64: 8 }[type]
      const data: MatrixData = new types[type](b.buffer.slice(0, k * n * size))
      const bytes = new Uint8Array(data.buffer)
      const y = kernels.matmul(a, m, kernels.load(data, k, n), bits)
      return { bits, m, k, n, type, a: wordsHex(a), b: bytesToHex(bytes), y: wordsHex(y) }
    }),
  )
}

function sums(): Vectors['add'] {
  return [16, 32, 45, 64].map((bits) => {
    const [y, p, q] = [words(9, bits), words(9), words(9)]
    const sum = y.map((v, i) => BigInt.asUintN(bits, v + p[i] + q[i]))
    return { bits, y: wordsHex(y), parts: wordsHex(p) + wordsHex(q), sum: wordsHex(sum) }
  })
}

async function products(): Promise<Vectors['product']> {
  const device = createOracleProductDevice()
  const shapes: [bits: number, k: number, n: number, rows: number][] = [
    [5, 3, 2, 1],
    [13, 70, 131, 9],
    [16, 9, 5, 3],
    [23, 70, 131, 9],
    [32, 130, 3, 2],
    [33, 9, 5, 3],
    [40, 70, 131, 9],
    [64, 130, 129, 2],
    [64, 1, 1, 1],
  ]
  return Promise.all(
    shapes.map(async ([bits, k, n, rows], i) => {
      const f: StationarySpec = {
        key: KEY.map((v) => v ^ 0xa5),
        nonce: rowNonce(900 + i, 1n << 40n),
        k,
        n,
        bits,
      }
      // the serials cross 2^32
      const spec: ProductSpec = {
        key: KEY,
        firstSerial: (1n << 32n) - 1n,
        rows,
        a: 7 + 100 * i,
        c: 9 + 100 * i,
      }
      const y = await device.product(await device.stationary(f), spec)
      return {
        f: { ...f, key: bytesToHex(f.key), nonce: bytesToHex(f.nonce) },
        spec: { ...spec, key: bytesToHex(spec.key), firstSerial: String(spec.firstSerial) },
        first: wordsHex(y.subarray(0, 1)),
        digest: digest(y),
      }
    }),
  )
}

/** Those that start-up tests of devices take, apart from the others. */
const split = (all: Vectors['matmul']): Pick<Vectors, 'matmul' | 'matmulOfNarrow'> => ({
  matmul: all.filter(({ type }) => type === 'u64'),
  matmulOfNarrow: all.filter(({ type }) => type !== 'u64'),
})

/** The vectors of `vectors.json`, from the oracle alone; raise the version whenever a meaning changes. */
export async function makeVectors(): Promise<Vectors> {
  words = wordSource(kernels, 77)
  return {
    version: 1,
    keystream: keystreams(),
    pack: packs(),
    ...split(matmuls()),
    add: sums(),
    product: await products(),
  }
}
