import type { WasmMatrix } from '../wasm/matrix.ts'
import { WasmSigns } from '../wasm/signs.ts'
import type { RightTile } from './matmul.ts'
import type { Digits, ProductKind } from './products.ts'
import { EXACT_K, type Scheme } from './scheme.ts'

/** All digits of a matrix at rest; signs are their own, as bytes. */
export function matrixTiles(
  b: WasmMatrix | WasmSigns,
  kind: ProductKind,
  { right, digits }: Scheme,
): RightTile[] {
  const tiles: RightTile[] = []
  for (let from = 0; from < b.k; from += EXACT_K) {
    const k = Math.min(EXACT_K, b.k - from)
    const count = digits.length
    tiles.push({ from, k, digits: digitsOf(b, kind, right, count, from, k) })
  }
  return tiles
}

function digitsOf(
  b: WasmMatrix | WasmSigns,
  kind: ProductKind,
  right: number,
  count: number,
  from: number,
  k: number,
): Digits {
  if (b instanceof WasmSigns) {
    const plane = b.plane(from, k)
    return kind === 'float64' ? Int32Array.from(plane) : plane
  }
  return kind === 'float64' ? b.digits(right, count, from, k) : b.planes(count, from, k)
}

/** What those digits leave out of every element. */
export const matrixBias = (b: WasmMatrix | WasmSigns, kind: ProductKind): bigint =>
  b instanceof WasmSigns ? 0n : kind === 'float64' ? b.bias : b.planeBias
