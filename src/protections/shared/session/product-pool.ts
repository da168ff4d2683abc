/**
 * The owner's input-independent products, made ahead row by row: each row's serial is used once, whatever position the
 * row ends up at.
 */
import type { ProductDevice, Stationary } from '../../../kernels/kernels.ts'
import type { WeightUse } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { productStreams, stationaryNonce } from '../weights/stationary.ts'

interface Block {
  rows: number
  products: Map<string, Lanes>
}

/** Rows of a pass, from serial `first` on. */
export interface TakenRows {
  readonly first: number
  /** Resolves once all are made. */
  readonly products: Promise<ReadonlyMap<string, Lanes>>
}

/** 32 bytes each. */
export interface PoolKeys {
  /** The owner's mask key, shared with the dealer. */
  readonly masks: Uint8Array
  /** The key of the stationary masks F. */
  readonly stationary: Uint8Array
}

/**
 * Rows of a·F + c for every private weight, in the order of their serials: a is the row's mask, c the owner's
 * share of what is dealt.
 */
export class ProductPool {
  readonly #device: ProductDevice
  readonly #weights: readonly WeightUse[]
  readonly #keys: PoolKeys
  #stationary?: Promise<Stationary[]>
  readonly #blocks: Block[] = []
  #next = 0
  /** Rows given away. */
  #taken = 0
  #taking: Promise<unknown> = Promise.resolve()
  #work: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(device: ProductDevice, weights: readonly WeightUse[], keys: PoolKeys) {
    this.#device = device
    this.#weights = weights
    this.#keys = keys
  }

  /** Rows whose products are done. */
  get ready(): number {
    return this.#blocks.reduce((n, b) => n + b.rows, 0)
  }

  /** Makes sure that `rows` rows are ready, `batch` at a time; calls queue up behind each other. */
  fill(rows: number, batch = rows, onProgress?: (ready: number) => void): Promise<void> {
    this.#work = this.#work
      .catch(() => undefined)
      .then(async () => {
        while (this.ready < rows) {
          if (this.#isClosed) throw new RangeError('The session is closed: it makes no more rows.')
          await this.#make(Math.min(batch, rows - this.ready))
          onProgress?.(this.ready)
        }
      })
    return this.#work
  }

  /**
   * Takes the oldest `rows` rows, making what is missing. Which they are is known at once, so that the dealer can work
   * on them meanwhile. A row is never given twice.
   */
  take(rows: number): TakenRows {
    const first = this.#taken
    this.#taken += rows
    const products = this.#taking.then(() => this.#collect(rows))
    // Where one fails, the next ones would get its rows: none is given any more.
    this.#taking = products
    return { first, products }
  }

  /** Makes no more rows, and gives the device back what it keeps for this session. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#work.catch(() => undefined)
    for (const operand of (await this.#stationary?.catch(() => undefined)) ?? []) operand.free()
  }

  async #collect(rows: number): Promise<ReadonlyMap<string, Lanes>> {
    await this.fill(rows)
    const products = new Map<string, Lanes>()
    for (const w of this.#weights) products.set(w.name, new BigUint64Array(rows * w.n))
    let at = 0
    while (at < rows) {
      const block = this.#blocks[0]
      const n = Math.min(block.rows, rows - at)
      for (const w of this.#weights) {
        const own = block.products.get(w.name) as Lanes
        products.get(w.name)?.set(own.subarray(0, n * w.n), at * w.n)
        block.products.set(w.name, own.subarray(n * w.n))
      }
      block.rows -= n
      if (block.rows === 0) this.#blocks.shift()
      at += n
    }
    return products
  }

  async #make(rows: number): Promise<void> {
    this.#stationary ??= this.#load()
    const stationary = await this.#stationary
    const first = this.#next
    const products = new Map<string, Lanes>()
    for (const [i, w] of this.#weights.entries())
      products.set(
        w.name,
        await this.#device.product(stationary[i], {
          key: this.#keys.masks,
          firstSerial: BigInt(first),
          rows,
          ...productStreams(w),
        }),
      )
    // Only now: had the device failed, nothing would have left it, and the rows must stay without a gap.
    this.#next += rows
    this.#blocks.push({ rows, products })
  }

  async #load(): Promise<Stationary[]> {
    const out: Stationary[] = []
    for (const [i, w] of this.#weights.entries()) {
      const { k, n, ring } = w
      out.push(
        await this.#device.stationary({
          key: this.#keys.stationary,
          nonce: stationaryNonce(i),
          k,
          n,
          bits: ring,
        }),
      )
    }
    return out
  }
}
