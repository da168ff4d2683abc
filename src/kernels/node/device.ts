import { ByteBudget } from '../budget.ts'
import { checkProduct, checkStationary } from '../checks.ts'
import { demand } from '../error.ts'
import type { Kernels, ProductDevice, ProductSpec, Stationary, StationarySpec } from '../kernels.ts'
import { createCpuProductDevice, ownSpec, rowWords } from '../wasm/device.ts'
import { type Ring, ringSync } from '../wasm/module.ts'
import { PLANE_ROWS } from './kernels.ts'
import { opensslKeystream, TURNED } from './keystream.ts'
import { mostRows, type PlaneTile, planeMatmul } from './matmul.ts'
import { type PlaneProduct, planeProduct } from './planes.ts'

/** Byte planes are made and multiplied so many bytes at a time, but at least `TILE_ROWS` rows. */
const TILE_BYTES = 8 << 20
const TILE_ROWS = 64
/** Words of keystream that are split at a time: they stay in the cache. */
const PIECE_WORDS = 1 << 15

interface Options {
  /** Bytes of expanded F kept over all stationary operands (default 64 MiB); beyond it F is remade by tiles. */
  cacheBytes?: number
  /** See `createNodeKernels`. */
  threads?: number
}

class NodeStationary implements Stationary {
  readonly spec: StationarySpec
  /** Byte planes of all rows, once a product of many rows has made them and they fit the budget. */
  tiles: readonly PlaneTile[] | undefined
  /** Where products of few rows are made, once there was one. */
  few: Promise<Stationary> | undefined
  readonly #budget: ByteBudget
  readonly #live: Set<NodeStationary>

  constructor(spec: StationarySpec, budget: ByteBudget, live: Set<NodeStationary>) {
    this.spec = spec
    this.#budget = budget
    this.#live = live
    live.add(this)
  }

  /** Bytes of all byte planes. */
  get size(): number {
    const { k, n, bits } = this.spec
    return Math.ceil(bits / 8) * k * n
  }

  drop(): void {
    if (this.tiles) this.#budget.give(this.size)
    this.tiles = undefined
  }

  free(): void {
    if (!this.#live.delete(this)) return
    this.drop()
    this.few?.then((operand) => operand.free()).catch(() => undefined)
  }
}

/**
 * `ProductDevice` for Node. Products of many rows (a prompt, a text) are made by ONNX Runtime on byte planes of F,
 * which come straight from the keystream; those of few rows, and all where the runtime is missing, by
 * `createCpuProductDevice`. Both keep what fits `cacheBytes` together. Whoever asks for few rows goes on doing so, token
 * by token: the planes then make room, and later prompts remake them.
 */
export function createNodeProductDevice(kernels: Kernels, options: Options = {}): ProductDevice {
  const budget = new ByteBudget(options.cacheBytes ?? 64 << 20)
  const cpu = createCpuProductDevice(kernels, { budget })
  const ring = ringSync()
  const live = new Set<NodeStationary>()
  let dispatches = 0

  async function onFewRows(f: NodeStationary, spec: ProductSpec): Promise<BigUint64Array> {
    if (!f.few) {
      for (const other of live) other.drop()
      f.few = cpu.stationary(f.spec)
      // One that failed may be tried again.
      f.few.catch(() => {
        f.few = undefined
      })
    }
    return cpu.product(await f.few, spec)
  }

  async function onPlanes(multiply: PlaneProduct, f: NodeStationary, spec: ProductSpec) {
    const { k, n, bits } = f.spec
    const counted: PlaneProduct = (...operands) => {
      dispatches++
      demand(live.has(f), 'the stationary operand was freed during the product')
      return multiply(...operands)
    }
    const keep = !f.tiles && budget.take(f.size)
    const tiles: PlaneTile[] = []
    const making = f.tiles ?? tilesOf(ring, f.spec, keep ? tiles : undefined)
    const x = rowWords(kernels, spec, spec.a, k)
    const plus = rowWords(kernels, spec, spec.c, n)
    const shape = { m: spec.rows, k, n, bits, bias: planeBias(bits), plus }
    try {
      const y = await planeMatmul(ring, counted, x, shape, making)
      if (keep && live.has(f) && !f.tiles) f.tiles = tiles
      return y
    } finally {
      if (keep && f.tiles !== tiles) budget.give(f.size)
    }
  }

  return {
    name: 'node (byte planes by onnxruntime)',
    get dispatches() {
      return dispatches + cpu.dispatches
    },
    lost: new Promise(() => {}),
    async stationary(spec) {
      checkStationary(spec)
      return new NodeStationary(ownSpec(spec), budget, live)
    },
    async product(f, spec) {
      demand(f instanceof NodeStationary && live.has(f), 'not a live stationary operand of this device')
      checkProduct(spec)
      if (spec.rows < PLANE_ROWS || f.spec.k * f.spec.n === 0) return onFewRows(f, spec)
      const multiply = await planeProduct(options.threads ?? 0)
      return multiply ? onPlanes(multiply, f, spec) : onFewRows(f, spec)
    },
  }
}

/** Planes hold bytes less 128. */
const planeBias = (bits: number): bigint => BigInt.asUintN(8 * Math.ceil(bits / 8), 0x8080808080808080n)

/** F by tiles of its rows. @param kept takes them; without it each is made in the memory of the one before. */
function* tilesOf(ring: Ring, spec: StationarySpec, kept?: PlaneTile[]): Generator<PlaneTile> {
  const { k, n, bits } = spec
  const count = Math.ceil(bits / 8)
  const most = Math.min(k, mostRows(count), Math.max(TILE_ROWS, Math.floor(TILE_BYTES / (count * n))))
  const shared = kept ? undefined : new Int8Array(count * most * n)
  for (let from = 0; from < k; from += most) {
    const rows = Math.min(most, k - from)
    const planes = shared?.subarray(0, count * rows * n) ?? new Int8Array(count * rows * n)
    fillPlanes(ring, spec, from * n, rows * n, planes)
    const tile = { from, k: rows, planes }
    kept?.push(tile)
    yield tile
  }
}

/** Byte planes of `words` keystream words from word `first` on. */
function fillPlanes(ring: Ring, spec: StationarySpec, first: number, words: number, out: Int8Array): void {
  const { x, arena } = ring
  const count = out.length / words
  // A keystream offset is a whole block of 8 words, and a tile need not start on one.
  const most = Math.min(PIECE_WORDS, words)
  const block = arena.alloc((8 + most) * 8 + most * count)
  const split = block + (8 + most) * 8
  const { buffer } = arena.memory
  try {
    for (let done = 0; done < words; done += most) {
      const n = Math.min(most, words - done)
      const skip = (first + done) % 8
      const stream = new Uint8Array(buffer, block, (skip + n) * 8)
      opensslKeystream(spec.key, spec.nonce, (first + done - skip) * 8, stream, TURNED)
      x.splitBytes(block + skip * 8, n, count, split)
      for (let q = 0; q < count; q++) out.set(new Int8Array(buffer, split + q * n, n), q * words + done)
    }
  } finally {
    arena.free(block)
  }
}
