import { hexToBytes } from '@noble/hashes/utils.js'
import { demand, KernelError } from '../error.ts'
import type { ProductDevice } from '../kernels.ts'
// By name, so that a page gets no others.
import { add, keystream, matmul, product } from '../vectors.json'
import { digest, hexWords, productOf, toWords, type Vectors, wordsHex } from '../vectors.ts'
import type { Batch, Gpu } from './gpu.ts'
import { addParts, expand, layoutOf, multiply, padded } from './kernels.ts'
import type { KernelName } from './shaders.ts'

const vectors = { add, keystream, matmul, product } as Pick<
  Vectors,
  'add' | 'keystream' | 'matmul' | 'product'
>

/** Elements as they rest on the device: 16 (two in a word), 32 or 64 bits each. */
function toDevice(values: BigUint64Array, width: 16 | 32 | 64): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(Math.ceil((values.length * width) / 32))
  values.forEach((v, i) => {
    if (width === 16) out[i >> 1] |= Number(v & 0xffffn) << (16 * (i & 1))
    else out[i * (width / 32)] = Number(v & 0xffffffffn)
    if (width === 64) out[2 * i + 1] = Number(v >> 32n)
  })
  return out
}

/** The inverse of `toDevice` for `count` elements, reduced mod 2^bits. */
function fromDevice(data: ArrayBuffer, width: 16 | 32 | 64, count: number, bits: number): BigUint64Array {
  const words = { 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array }[width]
  return BigUint64Array.from({ length: count }, (_, i) => BigInt.asUintN(bits, BigInt(new words(data)[i])))
}

/** Rows of n elements -> rows of padded(n). */
function pad(values: BigUint64Array, rows: number, n: number): BigUint64Array {
  const out = new BigUint64Array(rows * padded(n))
  for (let r = 0; r < rows; r++) out.set(values.subarray(r * n, (r + 1) * n), r * padded(n))
  return out
}

/**
 * Runs a known answer through every kernel: wrong numbers from drivers have been seen in the field, and a wrong
 * share is indistinguishable from a right one until the answer is nonsense.
 * @throws KernelError naming the first kernel whose answer is wrong.
 */
export async function selfTest(gpu: Gpu): Promise<void> {
  const upload = (values: BigUint64Array, width: 16 | 32 | 64) => {
    const words = toDevice(values, width)
    const buffer = gpu.storage(words.byteLength)
    gpu.device.queue.writeBuffer(buffer, 0, words)
    return buffer
  }

  /** Runs `encode` and compares the first elements of its result with `want`. */
  async function check(
    name: KernelName,
    encode: (batch: Batch) => GPUBuffer,
    width: 16 | 32 | 64,
    bits: number,
    want: BigUint64Array,
  ): Promise<void> {
    let out: GPUBuffer | undefined
    await gpu.submit(`start-up test of ${name}`, (batch) => {
      out = encode(batch)
    })
    if (!out) throw new KernelError(`start-up test of ${name}: nothing was encoded`)
    const data = await gpu.read(name, out, Math.ceil((want.length * width) / 8))
    const got = fromDevice(data, width, want.length, bits)
    demand(wordsHex(got) === wordsHex(want), `GPU kernel ${name} gave a wrong answer in its start-up test`)
    gpu.pool.give(out)
  }

  for (const [width, bits] of [
    [16, 11],
    [32, 27],
    [64, 64],
    [64, 41],
  ] as const) {
    const name = `chacha${width}` as const
    // three vectors of one stream with consecutive serials, two blocks each
    const rows = vectors.keystream.slice(3)
    const [{ key, nonce, offset }] = rows
    const want = toWords(hexToBytes(rows.map(({ out }) => out).join(''))).map((v) => BigInt.asUintN(bits, v))
    const source = { key: hexToBytes(key), nonce: hexToBytes(nonce), counter: offset / 64 }
    const encode = (batch: Batch) => {
      const out = gpu.storage((want.length * width) / 8)
      expand(batch, out, source, rows.length, want.length / rows.length, layoutOf(bits), width)
      return out
    }
    await check(name, encode, width, bits, want)
  }

  for (const { bits, m, k, n, a, b, y } of vectors.matmul) {
    const layout = layoutOf(bits)
    const width = layout.limbs === 1 ? 32 : 64
    const x = upload(pad(hexWords(a), m, k), width)
    const piece = { buffer: upload(hexWords(b), layout.width), offset: 0, k }
    const encode = (batch: Batch) => {
      const parts = gpu.storage((m * n * width) / 8)
      multiply(batch, parts, x, piece, m, n, padded(k), layout)
      return parts
    }
    await check(`matmul${layout.width}`, encode, width, bits, hexWords(y))
  }

  for (const { bits, y, parts, sum } of vectors.add) {
    const layout = layoutOf(bits)
    const width = layout.limbs === 1 ? 32 : 64
    const want = hexWords(sum)
    const total = upload(pad(hexWords(y), 1, want.length), width)
    const addends = upload(hexWords(parts), width)
    const encode = (batch: Batch) => {
      addParts(batch, total, addends, 2, 1, want.length, layout)
      return total
    }
    await check(`add${width}`, encode, width, bits, want)
  }
}

/**
 * Known answers of whole products, shaped to cross every tile and split boundary, which the small ones above do not.
 * @throws KernelError naming the ring whose product is wrong.
 */
export async function selfTestProducts(device: ProductDevice): Promise<void> {
  for (const vector of vectors.product.filter(({ f }) => f.n > 128)) {
    const [f, spec] = productOf(vector)
    const own = await device.stationary(f)
    const y = await device.product(own, spec)
    own.free()
    const { width } = layoutOf(f.bits)
    const message = `GPU product of ${width}-bit elements gave a wrong answer in its start-up test`
    demand(digest(y) === vector.digest, message)
  }
}
