import { ByteBudget } from '../budget.ts'
import { checkProduct, checkStationary } from '../checks.ts'
import { demand } from '../error.ts'
import type { Kernels, ProductDevice, ProductSpec, Stationary, StationarySpec } from '../kernels.ts'
import { createCpuProductDevice, ownSpec, rowWords } from '../wasm/device.ts'
import { ringSync } from '../wasm/module.ts'
import { once, type ProductOptions } from './choice.ts'
import { MANY_ROWS } from './kernels.ts'
import { digitMatmul, type RightTile } from './matmul.ts'
import { type DigitProduct, operandsOf, type ProductKind } from './products.ts'
import { schemeOf } from './scheme.ts'
import { streamBias, streamTiles } from './stream-tiles.ts'

interface Options extends ProductOptions {
  /** Bytes of expanded F kept over all stationary operands (default 64 MiB); beyond it F is remade by tiles. */
  cacheBytes?: number
}

class NodeStationary implements Stationary {
  readonly spec: StationarySpec
  /** Digits of all rows, once a product of many rows has made them and they fit the budget. */
  tiles: readonly RightTile[] | undefined
  /** Where products of few rows are made, once there was one. */
  few: Promise<Stationary> | undefined
  /** Bytes of all those digits, while they are kept. */
  #held = 0
  readonly #budget: ByteBudget
  readonly #live: Set<NodeStationary>

  constructor(spec: StationarySpec, budget: ByteBudget, live: Set<NodeStationary>) {
    this.spec = spec
    this.#budget = budget
    this.#live = live
    live.add(this)
  }

  get isLive(): boolean {
    return this.#live.has(this)
  }

  /** Keeps digits for which so many bytes were taken from the budget; gives them back if there are others by now. */
  keep(tiles: readonly RightTile[], bytes: number): void {
    if (this.tiles || !this.isLive) this.#budget.give(bytes)
    else {
      this.tiles = tiles
      this.#held = bytes
    }
  }

  drop(): void {
    this.#budget.give(this.#held)
    this.#held = 0
    this.tiles = undefined
  }

  free(): void {
    if (!this.#live.delete(this)) return
    this.drop()
    this.few?.then((operand) => operand.free()).catch(() => undefined)
  }
}

/**
 * `ProductDevice` for Node. Products of many rows (a prompt, a text) are made of F's digits, which come straight from the
 * keystream, by whatever `chooseProducts` finds; those of few rows, and all where that is WebAssembly, by
 * `createCpuProductDevice`. Both keep what fits `cacheBytes` together. Whoever asks for few rows goes on doing so, token by
 * token: the digits then make room, and later prompts remake them.
 */
export function createNodeProductDevice(kernels: Kernels, options: Options = {}): ProductDevice {
  const budget = new ByteBudget(options.cacheBytes ?? 64 << 20)
  const cpu = createCpuProductDevice(kernels, { budget })
  const ring = ringSync()
  const live = new Set<NodeStationary>()
  const products = once(options)
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

  async function onDigits(kind: ProductKind, multiply: DigitProduct, f: NodeStationary, spec: ProductSpec) {
    const { k, n, bits } = f.spec
    const counted: DigitProduct = (...operands) => {
      dispatches++
      demand(f.isLive, 'the stationary operand was freed during the product')
      return multiply(...operands)
    }
    const scheme = schemeOf(kind, { k, bits, reach: 64 })
    const bytes = scheme.digits.length * k * n * operandsOf[kind].right.BYTES_PER_ELEMENT
    const isKept = !f.tiles && budget.take(bytes)
    const tiles: RightTile[] = []
    const making = f.tiles ?? streamTiles(ring, f.spec, kind, scheme, isKept ? tiles : undefined)
    const x = rowWords(kernels, spec, spec.a, k)
    const plus = rowWords(kernels, spec, spec.c, n)
    const shape = { m: spec.rows, k, n, scheme, bias: streamBias(kind, scheme), plus }
    try {
      const y = await digitMatmul(ring, kind, counted, x, shape, making)
      if (isKept) f.keep(tiles, bytes)
      return y
    } catch (error) {
      if (isKept) budget.give(bytes)
      throw error
    }
  }

  return {
    name: 'node (digits by onnxruntime)',
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
      if (spec.rows < MANY_ROWS || f.spec.k * f.spec.n === 0) return onFewRows(f, spec)
      const { kind, multiply } = await products()
      return kind !== 'wasm' && multiply ? onDigits(kind, multiply, f, spec) : onFewRows(f, spec)
    },
  }
}
