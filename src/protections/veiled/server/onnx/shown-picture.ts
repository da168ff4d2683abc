/** The picture of a text: its rows, and where they stand among the text's tokens. */
import { SessionError } from '../../../../handshake/errors.ts'

/** What makes rows of pictures, and the token in whose place they stand. */
export interface PictureRows {
  /** Of a picture, and numbers of each. */
  readonly patches: number
  readonly pixels: number
  readonly token: number
  /** Numbers of a row. */
  readonly dim: number
  /** Of a picture `[patches, pixels]`: `[patches, dim]`. */
  rows(picture: Float32Array): Promise<Float32Array>
  close(): Promise<void>
}

/** One picture at a time: the next replaces it. */
export class ShownPicture {
  readonly #of: Pick<PictureRows, 'patches' | 'token' | 'dim'>
  readonly #rows: Float32Array
  /** Where its first token is. */
  #at = Number.NaN

  constructor(of: Pick<PictureRows, 'patches' | 'token' | 'dim'>, rows: Float32Array) {
    this.#of = of
    this.#rows = rows
  }

  /**
   * For each of `ids`, read behind `base` others: the picture's row that stands in its place, or -1. A run of the picture's
   * token that ends before `base` goes on there. Throws `SessionError` `malformed` where there are more tokens than rows.
   */
  places(base: number, ids: Uint32Array): Int32Array {
    const { patches, token } = this.#of
    return Int32Array.from(ids, (id, i) => {
      if (id !== token) return -1
      const isFirst = i > 0 ? ids[i - 1] !== token : !(base > this.#at && base < this.#at + patches)
      if (isFirst) this.#at = base + i
      const row = base + i - this.#at
      if (row >= patches)
        throw new SessionError('malformed', 'The text has more places for a picture than it has patches.')
      return row
    })
  }

  /** One row. */
  row(number: number): Float32Array {
    const { dim } = this.#of
    return this.#rows.subarray(number * dim, (number + 1) * dim)
  }
}
