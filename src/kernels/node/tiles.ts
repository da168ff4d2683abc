import type { WasmMatrix } from '../wasm/matrix.ts'
import { WasmSigns } from '../wasm/signs.ts'
import type { RightTile } from './matmul.ts'
import { operandsOf, type ProductKind } from './products.ts'
import type { Scheme } from './scheme.ts'
import { tileRows } from './tile-rows.ts'

type OwnDigits = Int8Array<ArrayBuffer> | Int32Array<ArrayBuffer>

/** A matrix at rest. */
export type Resting = WasmMatrix | WasmSigns

/** Bytes of all digits of a matrix. */
export const digitBytes = ({ k, n }: Resting, kind: ProductKind, { digits }: Scheme): number =>
  digits.length * k * n * operandsOf[kind].right.BYTES_PER_ELEMENT

/**
 * Digits of a matrix at rest, by tiles of its rows; signs are their own, as bytes.
 * @param memory for tiles that are made one after another in the same place; without it each has its own.
 */
export function* matrixTiles(
  b: Resting,
  kind: ProductKind,
  scheme: Scheme,
  memory?: (bytes: number) => ArrayBuffer,
): Generator<RightTile> {
  const { k, n } = b
  const { right } = operandsOf[kind]
  const count = scheme.digits.length
  const most = tileRows(kind, scheme, k, n)
  const shared = memory?.(count * most * n * right.BYTES_PER_ELEMENT)
  for (let from = 0; from < k; from += most) {
    const rows = Math.min(most, k - from)
    const digits = shared ? new right(shared, 0, count * rows * n) : new right(count * rows * n)
    fill(b, scheme, from, rows, digits)
    yield { from, k: rows, digits }
  }
}

function fill(b: Resting, { right, digits }: Scheme, from: number, rows: number, out: OwnDigits): void {
  if (b instanceof WasmSigns) {
    if (out instanceof Int32Array) out.set(b.plane(from, rows))
    else b.plane(from, rows, out)
  } else if (out instanceof Int32Array) b.digits(right, digits.length, from, rows, out)
  else b.planes(digits.length, from, rows, out)
}

/** What those digits leave out of every element. */
export const matrixBias = (b: Resting, kind: ProductKind): bigint =>
  b instanceof WasmSigns ? 0n : kind === 'float64' ? b.bias : b.planeBias
