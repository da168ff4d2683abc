import type { RightTile } from './matmul.ts'
import type { ProductKind } from './products.ts'
import type { Scheme } from './scheme.ts'
import { digitBytes, matrixTiles, type Resting } from './tiles.ts'

interface Kept {
  readonly scheme: Scheme
  readonly tiles: readonly RightTile[]
  readonly bytes: number
}

/**
 * Digits of matrices: those that fit a budget are kept beside the matrix, so that a small model's are made once. A large
 * model would be in memory twice; its digits are made anew for every product, tile by tile in memory that the next takes.
 */
export class KeptDigits {
  readonly #kept = new Map<Resting, Kept>()
  /** Memory that no product uses now. */
  #spare: ArrayBuffer | undefined
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Runs a product on the digits of a matrix, taken one tile after another. */
  async during<T>(
    b: Resting,
    kind: ProductKind,
    scheme: Scheme,
    product: (tiles: Iterable<RightTile>) => Promise<T>,
  ): Promise<T> {
    const kept = this.#of(b, kind, scheme)
    if (kept) return product(kept)
    let mine: ArrayBuffer | undefined
    const tiles = matrixTiles(b, kind, scheme, (bytes) => {
      const spare = this.#spare
      this.#spare = undefined
      mine = spare && spare.byteLength >= bytes ? spare : new ArrayBuffer(bytes)
      return mine
    })
    try {
      return await product(tiles)
    } finally {
      this.#spare = mine
    }
  }

  #of(b: Resting, kind: ProductKind, scheme: Scheme): readonly RightTile[] | undefined {
    const known = this.#kept.get(b)
    // The lower digits of one width are the same however many there are.
    if (known?.scheme.right === scheme.right && known.scheme.digits.length >= scheme.digits.length)
      return known.tiles
    if (known) this.#drop(b, known)
    const bytes = digitBytes(b, kind, scheme)
    if (bytes > this.#left) for (const [other, of] of this.#kept) if (!other.isLive) this.#drop(other, of)
    if (bytes > this.#left) return undefined
    const tiles = [...matrixTiles(b, kind, scheme)]
    this.#left -= bytes
    this.#kept.set(b, { scheme, tiles, bytes })
    return tiles
  }

  #drop(b: Resting, { bytes }: Kept): void {
    this.#kept.delete(b)
    this.#left += bytes
  }
}
