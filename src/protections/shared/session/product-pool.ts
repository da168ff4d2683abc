/**
 * The owner's input-independent products, made ahead row by row for the pass that comes next: each row's serial is used
 * once, whatever position the row ends up at.
 */
import type { Kernels, ProductDevice, Stationary } from '../../../kernels/kernels.ts'
import { type LaneArray, laneArray, lanesOf, narrowed } from '../../../kernels/lanes.ts'
import type { WeightUse } from '../plan.ts'
import { type OwnerKeys, passKeys } from '../prg.ts'
import { productStreams, stationaryNonce } from '../weights/stationary.ts'

/** In the narrowest lanes of each weight's ring: they wait for their pass, and a text's are many. */
type Products = ReadonlyMap<string, LaneArray>

interface Block {
  readonly rows: number
  readonly products: Products
}

/** Rows that are made under one pass's keys. */
class PassRows {
  readonly first: number
  readonly keys: OwnerKeys
  readonly blocks: Block[] = []

  constructor(first: number, keys: OwnerKeys) {
    this.first = first
    this.keys = keys
  }

  get made(): number {
    return this.blocks.reduce((n, b) => n + b.rows, 0)
  }
}

/** Rows of a pass, from serial `first` on. */
export interface TakenRows {
  readonly first: number
  /** The owner's masks of this pass, and of no other one. */
  readonly keys: OwnerKeys
  /** Resolves once all are made. */
  readonly products: Promise<Products>
}

/** 32 bytes each. */
export interface PoolKeys {
  /** What the owner's keys of passes come from, shared with the dealer. */
  readonly passes: Uint8Array
  /** The key of the stationary masks F. */
  readonly stationary: Uint8Array
}

/**
 * Rows of a·F + c for every private weight, in the order of their serials: a is the row's mask, c the owner's
 * share of what is dealt. A pass that has fewer rows than are ready leaves the others behind, for they are under its key.
 */
export class ProductPool {
  readonly #kernels: Kernels
  readonly #device: ProductDevice
  readonly #weights: readonly WeightUse[]
  readonly #keys: PoolKeys
  #stationary?: Promise<Stationary[]>
  /** Of the pass that comes next. */
  #next: PassRows
  #work: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(kernels: Kernels, device: ProductDevice, weights: readonly WeightUse[], keys: PoolKeys) {
    this.#kernels = kernels
    this.#device = device
    this.#weights = weights
    this.#keys = keys
    this.#next = this.#rowsFrom(0)
  }

  /** Rows whose products are done, for the pass that comes next. */
  get ready(): number {
    return this.#next.made
  }

  /**
   * Makes sure that `rows` rows are ready for the pass that comes next, `batch` at a time; calls queue up behind each
   * other. It stops where that pass takes its rows meanwhile, which makes what it misses itself.
   */
  fill(rows: number, batch = rows, onProgress?: (ready: number) => void): Promise<void> {
    const to = this.#next
    return this.#queue(async () => {
      while (to === this.#next && to.made < rows) {
        await this.#make(to, Math.min(batch, rows - to.made))
        onProgress?.(to.made)
      }
    })
  }

  /**
   * Takes the next pass's first `rows` rows, making what is missing. Their serials and key are known at once, so that the
   * dealer can work on them meanwhile. A row is never given twice.
   */
  take(rows: number): TakenRows {
    const taken = this.#next
    this.#next = this.#rowsFrom(taken.first + rows)
    const made = this.#queue(async () => {
      if (taken.made < rows) await this.#make(taken, rows - taken.made)
    })
    const products = made.then(() => this.#collect(taken, rows))
    return { first: taken.first, keys: taken.keys, products }
  }

  /** Makes no more rows, and gives the device back what it keeps for this session. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#work.catch(() => undefined)
    for (const operand of (await this.#stationary?.catch(() => undefined)) ?? []) operand.free()
  }

  #rowsFrom(first: number): PassRows {
    return new PassRows(first, passKeys(this.#kernels, this.#keys.passes, first))
  }

  /** The first rows of all blocks: of a single block its own memory. */
  #collect({ blocks }: PassRows, rows: number): Products {
    const [only] = blocks
    if (blocks.length === 1 && only.rows === rows) return only.products
    const products = new Map<string, LaneArray>()
    for (const { name, n, ring } of this.#weights) {
      const all = laneArray(lanesOf(ring), rows * n)
      let at = 0
      for (const block of blocks) {
        const part = block.products.get(name)?.subarray(0, all.length - at) ?? laneArray(lanesOf(ring), 0)
        all.set(part as never, at)
        at += part.length
      }
      products.set(name, all)
    }
    return products
  }

  #queue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.catch(() => undefined).then(work)
    return this.#work
  }

  async #make(to: PassRows, rows: number): Promise<void> {
    if (this.#isClosed) throw new RangeError('The session is closed: it makes no more rows.')
    this.#stationary ??= this.#load()
    const stationary = await this.#stationary
    const first = to.first + to.made
    const products = new Map<string, LaneArray>()
    for (const [i, w] of this.#weights.entries()) {
      const made = await this.#device.product(stationary[i], {
        key: to.keys.pass,
        firstSerial: BigInt(first),
        rows,
        ...productStreams(w),
      })
      products.set(w.name, narrowed(made, lanesOf(w.ring)))
    }
    // Only now: had the device failed, nothing would have left it, and the rows must stay without a gap.
    to.blocks.push({ rows, products })
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
