import { operandsOf, type ProductKind } from './products.ts'
import { EXACT_K, type Scheme } from './scheme.ts'

/** Digits are made and multiplied so many bytes at a time, but at least those of `TILE_ROWS` rows. */
const TILE_BYTES = 24 << 20
const TILE_ROWS = 64

/** Rows of a right-hand operand [k x n] whose digits are made at a time. */
export function tileRows(kind: ProductKind, { digits }: Scheme, k: number, n: number): number {
  const bytes = digits.length * n * operandsOf[kind].right.BYTES_PER_ELEMENT
  return Math.min(k, EXACT_K, Math.max(TILE_ROWS, Math.floor(TILE_BYTES / bytes)))
}
