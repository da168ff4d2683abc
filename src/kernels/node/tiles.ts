import type { WasmMatrix } from '../wasm/matrix.ts'
import type { RightTile } from './matmul.ts'
import type { ProductKind } from './products.ts'
import { EXACT_K, type Scheme } from './scheme.ts'

/** All digits of a matrix at rest. */
export function matrixTiles(b: WasmMatrix, kind: ProductKind, { right, digits }: Scheme): RightTile[] {
  const tiles: RightTile[] = []
  for (let from = 0; from < b.k; from += EXACT_K) {
    const k = Math.min(EXACT_K, b.k - from)
    const count = digits.length
    const made = kind === 'float64' ? b.digits(right, count, from, k) : b.planes(count, from, k)
    tiles.push({ from, k, digits: made })
  }
  return tiles
}

/** What those digits leave out of every element. */
export const matrixBias = (b: WasmMatrix, kind: ProductKind): bigint =>
  kind === 'float64' ? b.bias : b.planeBias
