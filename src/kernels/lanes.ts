/** Bits of a lane that kernels compute in. */
export type LaneWidth = 16 | 32 | 64

interface LaneTypes {
  16: Uint16Array
  32: Uint32Array
  64: BigUint64Array
}

/** Elements of a ring of at most W bits, one a lane; of any width where nothing is said. */
export type LaneArray<W extends LaneWidth = LaneWidth> = LaneTypes[W]

const TYPES = { 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array } as const

/** The narrowest lanes that hold a ring of so many bits. */
export const lanesOf = (bits: number): LaneWidth => (bits <= 16 ? 16 : bits <= 32 ? 32 : 64)

/** Bits of an array's lanes. */
export const widthOf = (lanes: LaneArray): LaneWidth => (8 * lanes.BYTES_PER_ELEMENT) as LaneWidth

/** `n` lanes of zero, or those that lie at a place of a buffer. */
export const laneArray = <W extends LaneWidth>(
  width: W,
  n: number,
  buffer: ArrayBufferLike = new ArrayBuffer((n * width) / 8),
  at = 0,
): LaneArray<W> => new TYPES[width](buffer as ArrayBuffer, at, n) as LaneArray<W>

/** Lanes in 64 bits each: as they are where they have so many. */
export function widened(lanes: LaneArray | Uint8Array): BigUint64Array {
  if (lanes instanceof BigUint64Array) return lanes
  const out = new BigUint64Array(lanes.length)
  const words = new Uint32Array(out.buffer)
  for (let i = 0; i < lanes.length; i++) words[2 * i] = lanes[i]
  return out
}

/** The low `width` bits of every lane. */
export function narrowed<W extends LaneWidth>(lanes: BigUint64Array, width: W): LaneArray<W> {
  if (width === 64) return lanes as LaneArray<W>
  const out = laneArray(width as 16 | 32, lanes.length)
  const words = new Uint32Array(lanes.buffer, lanes.byteOffset, 2 * lanes.length)
  for (let i = 0; i < out.length; i++) out[i] = words[2 * i]
  return out as LaneArray<W>
}
