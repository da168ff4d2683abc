import type { Batch } from './gpu.ts'

/** Ring of a product on the device: how elements rest, and the masks that reduce them. */
export interface Layout {
  bits: number
  /** Bits an element of F takes: 16, 32 or 64. */
  width: 16 | 32 | 64
  /** 32-bit words an element of x, y and the partial products takes. */
  limbs: 1 | 2
  /** 2^bits - 1, low word and high word. */
  mask: [number, number]
}

/** How elements of a ring lie in GPU memory: as 16-bit or 32-bit words, or as two words, low one first. */
export function layoutOf(bits: number): Layout {
  const width = bits <= 16 ? 16 : bits <= 32 ? 32 : 64
  const low = bits >= 32 ? 0xffffffff : 2 ** bits - 1
  const high = bits <= 32 ? 0 : 2 ** (bits - 32) - 1
  return { bits, width, limbs: width === 64 ? 2 : 1, mask: [low, high] }
}

/** Elements of a row as the keystream kernel leaves them: whole blocks of 8. */
export function padded(count: number): number {
  return Math.ceil(count / 8) * 8
}

function keyWords(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true))
}

/**
 * `rows` rows of padded(count) keystream elements; row r reads the stream with the nonce's 64-bit serial plus r.
 * @param counter first block of each row.
 * @param width bits an element takes in `out`.
 */
export function expand(
  batch: Batch,
  out: GPUBuffer,
  source: { key: Uint8Array; nonce: Uint8Array; counter: number },
  rows: number,
  count: number,
  { mask }: Layout,
  width: 16 | 32 | 64,
): void {
  const blocks = padded(count) / 8
  const params = [...keyWords(source.key), ...keyWords(source.nonce), source.counter, ...mask, blocks]
  const name = ({ 16: 'chacha16', 32: 'chacha32', 64: 'chacha64' } as const)[width]
  batch.run(name, [out], params, [Math.ceil(blocks / 64), rows])
}

/** A piece of F in a product: rows offset..offset+k. */
export interface Piece {
  buffer: GPUBuffer
  offset: number
  k: number
}

/** Workgroups below which a product is also split over k, so that few rows still fill a GPU. */
const WANTED_GROUPS = 256
const TILE_K = 64

/** Splits of k and rows of F in each. */
export function splitsOf(rows: number, k: number, n: number): { splits: number; span: number } {
  const groups = Math.ceil(n / 128) * Math.ceil(rows / 8)
  const wanted = Math.max(1, Math.min(Math.ceil(WANTED_GROUPS / groups), Math.ceil(k / TILE_K)))
  const span = Math.ceil(k / wanted / TILE_K) * TILE_K
  return { splits: Math.ceil(k / span), span }
}

/** parts [splits x rows x n] = x · piece, not yet reduced below the limbs. */
export function multiply(
  batch: Batch,
  parts: GPUBuffer,
  x: GPUBuffer,
  piece: Piece,
  rows: number,
  n: number,
  stride: number,
  { width }: Layout,
): void {
  const { splits, span } = splitsOf(rows, piece.k, n)
  const name = ({ 16: 'matmul16', 32: 'matmul32', 64: 'matmul64' } as const)[width]
  const grid: [number, number, number] = [Math.ceil(n / 128), Math.ceil(rows / 8), splits]
  batch.run(name, [parts, x, piece.buffer], [rows, piece.k, n, stride, piece.offset, span], grid)
}

/** y [rows x padded(n)] = (y + sum of parts) mod 2^bits. */
export function addParts(
  batch: Batch,
  y: GPUBuffer,
  parts: GPUBuffer,
  splits: number,
  rows: number,
  n: number,
  { mask, limbs }: Layout,
): void {
  const params = [...mask, rows, n, padded(n), splits]
  batch.run(limbs === 1 ? 'add32' : 'add64', [y, parts], params, [Math.ceil(n / 64), rows])
}
