import { demand } from '../error.ts'
import type { Stationary, StationarySpec } from '../kernels.ts'
import type { Gpu } from './gpu.ts'
import { expand, type Layout, layoutOf, type Piece, padded } from './kernels.ts'

/** One piece of F at most, below the smallest binding any adapter must offer (128 MiB). */
const PIECE_BYTES = 64 << 20
/** F on the device, in pieces. */
export class GpuStationary implements Stationary {
  readonly spec: StationarySpec
  readonly gpu: Gpu
  readonly layout: Layout
  readonly pieces: Piece[]
  freed = false

  constructor(spec: StationarySpec, gpu: Gpu, layout: Layout, pieces: Piece[]) {
    this.spec = spec
    this.gpu = gpu
    this.layout = layout
    this.pieces = pieces
  }

  free(): void {
    // not back to the pool: F is long-lived and big, and it is secret
    for (const { buffer } of this.pieces) buffer.destroy()
    this.pieces.length = 0
    this.freed = true
  }
}

/** Expands F on the device in pieces of whole rows; pieces start at a multiple of 8 rows, so at a block. */
export async function expandStationary(gpu: Gpu, spec: StationarySpec): Promise<GpuStationary> {
  const { k, n, bits } = spec
  const layout = layoutOf(bits)
  const rowsPerPiece = Math.floor((PIECE_BYTES * 8) / layout.width / Math.max(n, 1) / 8) * 8
  demand(rowsPerPiece > 0, `${n} columns are too many for the GPU`)
  const pieces: Piece[] = []
  for (let offset = 0; offset < k && n > 0; offset += rowsPerPiece) {
    const rows = Math.min(rowsPerPiece, k - offset)
    const source = { key: spec.key, nonce: spec.nonce, counter: (offset * n) / 8 }
    try {
      await gpu.submit('expanding F', (batch) => {
        const size = (padded(rows * n) * layout.width) / 8
        const buffer = gpu.device.createBuffer({ size, usage: GPUBufferUsage.STORAGE })
        pieces.push({ buffer, offset, k: rows })
        expand(batch, buffer, source, 1, rows * n, layout, layout.width)
      })
    } catch (error) {
      for (const { buffer } of pieces) buffer.destroy()
      throw error
    }
  }
  return new GpuStationary({ ...spec }, gpu, layout, pieces)
}
