import { ByteBudget } from '../budget.ts'
import { checkProduct, checkStationary, rowNonce } from '../checks.ts'
import { demand } from '../error.ts'
import type { Kernels, Matrix, ProductDevice, ProductSpec, Stationary, StationarySpec } from '../kernels.ts'
import { ringWidth } from './narrow.ts'
import { addWords, narrowWords } from './words.ts'

/** Where F is too big to keep, this many of its words are made at a time. */
const TILE_WORDS = 1 << 18

/** A product over tiles gives way to other tasks this often: a timer costs a millisecond or more. */
const BREATH_MS = 12

interface Options {
  /** Bytes of expanded F kept over all stationary operands (default 64 MiB); above it F is remade by tiles. */
  cacheBytes?: number
  /** A budget shared with other caches, in place of one of `cacheBytes`. */
  budget?: ByteBudget
}

class CpuStationary implements Stationary {
  readonly spec: StationarySpec
  /** Taken from the budget for as long as the operand lives. */
  readonly reserved: number
  readonly release: () => void
  matrix: Matrix | undefined
  freed = false

  constructor(spec: StationarySpec, reserved: number, release: () => void) {
    this.spec = spec
    this.reserved = reserved
    this.release = release
  }

  free(): void {
    if (this.freed) return
    this.freed = true
    this.matrix?.free()
    this.release()
  }
}

/** spec.rows rows of `count` words from one stream. */
export function rowWords(kernels: Kernels, spec: ProductSpec, id: number, count: number): BigUint64Array {
  const out = new BigUint64Array(spec.rows * count)
  for (let r = 0; r < spec.rows; r++) {
    const row = new Uint8Array(out.buffer, r * count * 8, count * 8)
    kernels.keystream(spec.key, rowNonce(id, spec.firstSerial + BigInt(r)), 0, row)
  }
  return out
}

/** A stationary operand's own copy of what it was made of: the caller may wipe its key. */
export const ownSpec = (spec: StationarySpec): StationarySpec => ({
  ...spec,
  key: spec.key.slice(),
  nonce: spec.nonce.slice(),
})

/**
 * `ProductDevice` on CPU kernels. F is expanded once and kept while all kept operands fit `cacheBytes`; a larger F
 * is remade from its key tile by tile for every product, so it never sits in memory. Products run on the calling
 * thread, giving way to other tasks between tiles: put the device in a Worker where that matters.
 */
export function createCpuProductDevice(kernels: Kernels, options: Options = {}): ProductDevice {
  const budget = options.budget ?? new ByteBudget(options.cacheBytes ?? 64 << 20)
  let dispatches = 0

  /** Rows from..to of F as a matrix, as narrow as the ring allows. */
  function rows(spec: StationarySpec, from: number, to: number): Matrix {
    const { n, bits, key, nonce } = spec
    if (kernels.expand) return kernels.expand(key, nonce, from * n, to - from, n, bits)
    // a keystream offset is a multiple of 8 words, a row of F need not start on one
    const skip = (from * n) % 8
    const bytes = new Uint8Array((skip + (to - from) * n) * 8)
    kernels.keystream(key, nonce, (from * n - skip) * 8, bytes)
    return kernels.load(narrowWords(new BigUint64Array(bytes.buffer).subarray(skip), bits), to - from, n)
  }

  async function tiled(f: CpuStationary, x: BigUint64Array, m: number): Promise<BigUint64Array> {
    const { k, n, bits } = f.spec
    const sum = new BigUint64Array(m * n)
    const step = Math.max(1, Math.floor(TILE_WORDS / n))
    let breath = performance.now()
    for (let from = 0; from < k; from += step) {
      const to = Math.min(k, from + step)
      const part = new BigUint64Array(m * (to - from))
      for (let r = 0; r < m; r++) part.set(x.subarray(r * k + from, r * k + to), r * (to - from))
      const tile = rows(f.spec, from, to)
      addWords(sum, kernels.matmul(part, m, tile, bits), bits)
      tile.free()
      dispatches++
      if (performance.now() - breath < BREATH_MS) continue
      // lets stop requests and heartbeats through
      await new Promise((resolve) => setTimeout(resolve, 0))
      breath = performance.now()
      demand(!f.freed, 'the stationary operand was freed during the product')
    }
    return sum
  }

  return {
    name: `cpu (${kernels.name})`,
    get dispatches() {
      return dispatches
    },
    lost: new Promise(() => {}),
    async stationary(spec) {
      checkStationary(spec)
      const size = spec.k * spec.n * ringWidth(spec.bits)
      const keep = budget.take(size)
      const own = ownSpec(spec)
      const f = new CpuStationary(own, keep ? size : 0, () => budget.give(f.reserved))
      if (keep) f.matrix = rows(own, 0, spec.k)
      return f
    },
    async product(f, spec) {
      demand(f instanceof CpuStationary && !f.freed, 'not a live stationary operand of this device')
      const { k, n, bits } = f.spec
      checkProduct(spec)
      const m = spec.rows
      if (m * n === 0) return new BigUint64Array(0)
      const x = rowWords(kernels, spec, spec.a, k)
      let y: BigUint64Array
      if (f.matrix) {
        y = await (kernels.matmulAsync ?? kernels.matmul)(x, m, f.matrix, bits)
        dispatches++
      } else y = await tiled(f, x, m)
      addWords(y, rowWords(kernels, spec, spec.c, n), bits)
      return y
    },
  }
}
