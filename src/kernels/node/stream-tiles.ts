import type { StationarySpec } from '../kernels.ts'
import type { Ring } from '../wasm/module.ts'
import { opensslKeystream, TURNED } from './keystream.ts'
import type { RightTile } from './matmul.ts'
import { type Digits, operandsOf, type ProductKind } from './products.ts'
import type { Scheme } from './scheme.ts'
import { tileRows } from './tile-rows.ts'

/** Words of keystream that are split at a time: they stay in the cache. */
const PIECE_WORDS = 1 << 15

/** Byte planes of keystream hold bytes less 128; digits of other kinds leave nothing out. */
export const streamBias = (kind: ProductKind, { digits }: Scheme): bigint =>
  kind === 'float64' ? 0n : BigInt.asUintN(8 * digits.length, 0x8080808080808080n)

/**
 * Digits of F by tiles of its rows.
 * @param kept takes them; without it each is made in the memory of the one before.
 */
export function* streamTiles(
  ring: Ring,
  spec: StationarySpec,
  kind: ProductKind,
  scheme: Scheme,
  kept?: RightTile[],
): Generator<RightTile> {
  const { k, n } = spec
  const { right } = operandsOf[kind]
  const count = scheme.digits.length
  const most = tileRows(kind, scheme, k, n)
  const shared = kept ? undefined : new right(count * most * n)
  for (let from = 0; from < k; from += most) {
    const rows = Math.min(most, k - from)
    const digits = shared?.subarray(0, count * rows * n) ?? new right(count * rows * n)
    fill(ring, spec, kind, scheme, from * n, rows * n, digits)
    const tile = { from, k: rows, digits }
    kept?.push(tile)
    yield tile
  }
}

/** Digits of `words` keystream words from word `first` on. */
function fill(
  ring: Ring,
  spec: StationarySpec,
  kind: ProductKind,
  scheme: Scheme,
  first: number,
  words: number,
  out: Digits,
): void {
  const { x, arena } = ring
  const count = scheme.digits.length
  const { right } = operandsOf[kind]
  // A keystream offset is a whole block of 8 words, and a tile need not start on one. An even count is read.
  const most = Math.min(PIECE_WORDS, words)
  const block = arena.alloc((8 + most + 1) * 8 + most * count * right.BYTES_PER_ELEMENT)
  const split = block + (8 + most + 1) * 8
  const { buffer } = arena.memory
  try {
    for (let done = 0; done < words; done += most) {
      const n = Math.min(most, words - done)
      const skip = (first + done) % 8
      const stream = new Uint8Array(buffer, block, (skip + n) * 8)
      const [from, at] = [(first + done - skip) * 8, block + skip * 8]
      if (kind === 'float64') {
        opensslKeystream(spec.key, spec.nonce, from, stream)
        x.splitDigits(at, n, scheme.right, count, split)
      } else {
        opensslKeystream(spec.key, spec.nonce, from, stream, TURNED)
        x.splitBytes(at, n, count, split)
      }
      for (let q = 0; q < count; q++)
        out.set(new right(buffer, split + q * n * right.BYTES_PER_ELEMENT, n), q * words + done)
    }
  } finally {
    arena.free(block)
  }
}
