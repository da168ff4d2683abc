/**
 * Ring elements in memory, and elementwise arithmetic in Z_2^k on lanes of 64 bits.
 *
 * Ring elements are reduced mod 2^k, one a lane. Engines lower `BigInt.asUintN(64, ...)` on lanes of 64 bits to machine
 * words, so these plain loops run at a few nanoseconds an element. What long arrays go through in every pass is several
 * times faster as a program (`kernels/program.ts`); matrix products and keystreams are the kernels' business.
 */
import { widened } from '../../kernels/lanes.ts'

/** How many bits a lane can have in memory. */
export type LaneBits = 8 | 16 | 32 | 64

interface LaneArrays {
  8: Uint8Array
  16: Uint16Array
  32: Uint32Array
  64: BigUint64Array
}

/**
 * Ring elements in lanes of W bits, 64 where nothing is said: a narrow ring may lie in narrow lanes. Programs read and
 * write those as they are, as `packed(W)` operands and outputs.
 */
export type Lanes<W extends LaneBits = 64> = LaneArrays[W]

/** Lanes of whatever width. */
export type AnyLanes = Lanes<LaneBits>

const LANES = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array } as const

/** `n` lanes of zero. */
export const newLanes = (bits: LaneBits, n: number): AnyLanes => new LANES[bits](n)

/** The width of lanes. */
export const laneBits = (lanes: AnyLanes): LaneBits => (8 * lanes.BYTES_PER_ELEMENT) as LaneBits

/** 2^k - 1. */
export const maskOf = (k: number): bigint => (1n << BigInt(k)) - 1n

/** The low and the high 32 bits of 2^k - 1. */
export const halfMasks = (k: number): [low: number, high: number] => [
  k >= 32 ? 0xffffffff : 2 ** k - 1,
  k > 32 ? 2 ** (k - 32) - 1 : 0,
]

/** The representative of x mod 2^k in [-2^(k-1), 2^(k-1)). */
export const signed = (x: bigint, k: number): bigint => BigInt.asIntN(k, x)

/** a + b, element by element, mod 2^k. */
export function add(a: Lanes, b: Lanes, k: number): Lanes {
  const out = new BigUint64Array(a.length)
  const m = maskOf(k)
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, a[i] + b[i]) & m
  return out
}

/** a - b, element by element, mod 2^k. */
export function sub(a: Lanes, b: Lanes, k: number): Lanes {
  const out = new BigUint64Array(a.length)
  const m = maskOf(k)
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, a[i] - b[i]) & m
  return out
}

/** a xor b, bit by bit. */
export function exclusiveOr(a: Lanes, b: Lanes): Lanes {
  const out = new Uint32Array(2 * a.length)
  const [left, right] = [a, b].map((v) => new Uint32Array(v.buffer, v.byteOffset, out.length))
  for (let i = 0; i < out.length; i++) out[i] = left[i] ^ right[i]
  return new BigUint64Array(out.buffer)
}

/** A copy reduced mod 2^k. */
export function reduce(a: Lanes, k: number): Lanes {
  const out = new BigUint64Array(a.length)
  const m = maskOf(k)
  for (let i = 0; i < out.length; i++) out[i] = a[i] & m
  return out
}

/** Lanes mod 2^from, read as signed integers, as lanes mod 2^to: for oracles that leave a value's ring. */
export function resized(a: Lanes, from: number, to: number): Lanes {
  const out = new BigUint64Array(a.length)
  const m = maskOf(to)
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, BigInt.asIntN(from, a[i])) & m
  return out
}

/**
 * Logical right shift of every lane. By 32-bit halves: engines turn a shift of a lane by a variable into a call, and
 * this is ten times faster.
 */
export function shiftRight(a: Lanes, t: number): Lanes {
  const out = new BigUint64Array(a.length)
  const from = new Uint32Array(a.buffer, a.byteOffset, 2 * a.length)
  const to = new Uint32Array(out.buffer)
  if (t === 0) out.set(a)
  else if (t < 32) {
    const up = 32 - t
    for (let i = 0; i < to.length; i += 2) {
      to[i] = (from[i] >>> t) | (from[i + 1] << up)
      to[i + 1] = from[i + 1] >>> t
    }
  } else if (t < 64) for (let i = 0; i < to.length; i += 2) to[i] = from[i + 1] >>> (t - 32)
  return out
}

/** Bits shift..shift+n-1 of every lane as numbers; shift below 64, n at most 31. */
export function bitsAt(a: Lanes, shift: number, n: number): Uint32Array {
  const words = new Uint32Array(a.buffer, a.byteOffset, 2 * a.length)
  const out = new Uint32Array(a.length)
  const m = 2 ** n - 1
  if (shift >= 32) for (let i = 0; i < out.length; i++) out[i] = (words[2 * i + 1] >>> (shift - 32)) & m
  else if (shift === 0) for (let i = 0; i < out.length; i++) out[i] = words[2 * i] & m
  else
    for (let i = 0; i < out.length; i++)
      out[i] = ((words[2 * i] >>> shift) | (words[2 * i + 1] << (32 - shift))) & m
  return out
}

/** The low n bits of every lane as numbers; n at most 53. */
export function lowBits(a: Lanes, n: number): Float64Array {
  const words = new Uint32Array(a.buffer, a.byteOffset, 2 * a.length)
  const out = new Float64Array(a.length)
  const [low, high] = halfMasks(n)
  for (let i = 0; i < out.length; i++)
    out[i] = ((words[2 * i] & low) >>> 0) + ((words[2 * i + 1] & high) >>> 0) * 4294967296
  return out
}

/**
 * Integers held in float64 (|x| < 2^63, exact up to 2^53) to lanes mod 2^64, without one BigInt allocation per element.
 */
export function fromFloats(values: Float64Array): Lanes {
  const out = new BigUint64Array(values.length)
  const words = new Int32Array(out.buffer)
  for (let i = 0; i < values.length; i++) {
    const high = Math.floor(values[i] / 4294967296)
    words[2 * i] = values[i] - high * 4294967296
    words[2 * i + 1] = high
  }
  return out
}

/** Every lane with its low t bits cleared. */
export function clearLow(a: Lanes, t: number): Lanes {
  const out = new BigUint64Array(a.length)
  const keep = BigInt.asUintN(64, ~maskOf(t))
  for (let i = 0; i < out.length; i++) out[i] = a[i] & keep
  return out
}

/** Lanes mod 2^k to float64, read as signed integers and scaled by 2^-frac. */
export function toFloats(values: AnyLanes, k: number, frac: number): Float64Array {
  const wide = widened(values)
  const out = new Float64Array(wide.length)
  const scale = 2 ** -frac
  for (let i = 0; i < out.length; i++) out[i] = Number(BigInt.asIntN(k, wide[i])) * scale
  return out
}

/** Reals to fixed point mod 2^k. */
export function encode(values: ArrayLike<number>, k: number, frac: number): Lanes {
  const scale = 2 ** frac
  const scaled = new Float64Array(values.length)
  for (let i = 0; i < scaled.length; i++) scaled[i] = Math.round(values[i] * scale)
  return reduce(fromFloats(scaled), k)
}

/** Lanes whose temporaries stay in the processor's cache. */
const BLOCK = 4096

/**
 * A lane for each lane of x, worked out a block at a time: `f` is given the block and its first index, `room` makes the
 * result.
 */
export function inBlocks(
  x: Lanes,
  room: { lanes(n: number): Lanes },
  f: (block: Lanes, first: number) => Lanes,
): Lanes {
  if (x.length <= BLOCK) return f(x, 0)
  const out = room.lanes(x.length)
  for (let first = 0; first < x.length; first += BLOCK)
    out.set(f(x.subarray(first, first + BLOCK), first), first)
  return out
}
