// Rows of 16-bit words to tiles of f32 and back.
import { narrowBfloats, narrowHalves, widenBfloats, widenHalves } from './floats'
import { LANES } from './lanes'

// @ts-ignore: decorator
@inline
function eight(at: usize, stride: usize): v128 {
  let w = v128.load16_splat(at)
  w = v128.load16_lane(at + stride, w, 1)
  w = v128.load16_lane(at + 2 * stride, w, 2)
  w = v128.load16_lane(at + 3 * stride, w, 3)
  w = v128.load16_lane(at + 4 * stride, w, 4)
  w = v128.load16_lane(at + 5 * stride, w, 5)
  w = v128.load16_lane(at + 6 * stride, w, 6)
  return v128.load16_lane(at + 7 * stride, w, 7)
}

/**
 * Sixteen rows of `width` words, `stride` bytes apart, to a tile: component c of vector l is factors[l] times word c of
 * row l. `isHalf`: F16, else BF16.
 */
export function tileOfWords(words: usize, stride: usize, width: u32, factors: usize, isHalf: bool, out: usize): void {
  const f0 = v128.load(factors), f1 = v128.load(factors, 16)
  const f2 = v128.load(factors, 32), f3 = v128.load(factors, 48)
  for (let c: u32 = 0; c < width; c++, out += LANES, words += 2) {
    const low = eight(words, stride), high = eight(words + 8 * stride, stride)
    const a = i32x4.extend_low_i16x8_u(low), b = i32x4.extend_high_i16x8_u(low)
    const d = i32x4.extend_low_i16x8_u(high), e = i32x4.extend_high_i16x8_u(high)
    if (isHalf) {
      v128.store(out, f32x4.mul(widenHalves(a), f0))
      v128.store(out, f32x4.mul(widenHalves(b), f1), 16)
      v128.store(out, f32x4.mul(widenHalves(d), f2), 32)
      v128.store(out, f32x4.mul(widenHalves(e), f3), 48)
    } else {
      v128.store(out, f32x4.mul(widenBfloats(a), f0))
      v128.store(out, f32x4.mul(widenBfloats(b), f1), 16)
      v128.store(out, f32x4.mul(widenBfloats(d), f2), 32)
      v128.store(out, f32x4.mul(widenBfloats(e), f3), 48)
    }
  }
}

// @ts-ignore: decorator
@inline
function narrowed(at: usize, isHalf: bool): v128 {
  const a = v128.load(at), b = v128.load(at, 16)
  return isHalf
    ? i16x8.narrow_i32x4_u(narrowHalves(a), narrowHalves(b))
    : i16x8.narrow_i32x4_u(narrowBfloats(a), narrowBfloats(b))
}

// @ts-ignore: decorator
@inline
function spread(w: v128, at: usize, stride: usize): void {
  v128.store16_lane(at, w, 0)
  v128.store16_lane(at + stride, w, 1)
  v128.store16_lane(at + 2 * stride, w, 2)
  v128.store16_lane(at + 3 * stride, w, 3)
  v128.store16_lane(at + 4 * stride, w, 4)
  v128.store16_lane(at + 5 * stride, w, 5)
  v128.store16_lane(at + 6 * stride, w, 6)
  v128.store16_lane(at + 7 * stride, w, 7)
}

// Lanes whose exponent is the highest there is: too large, or no numbers.
// @ts-ignore: decorator
@inline
function lost(w: v128, isHalf: bool): u32 {
  const mask = i16x8.splat(isHalf ? 0x7c00 : 0x7f80)
  return u32(popcnt(i16x8.bitmask(i16x8.eq(v128.and(w, mask), mask))))
}

/** A tile to sixteen rows of `width` words, `stride` bytes apart. Returns how many values are too large. */
export function wordsOfTile(x: usize, width: u32, isHalf: bool, words: usize, stride: usize): u32 {
  let count: u32 = 0
  for (let c: u32 = 0; c < width; c++, x += LANES, words += 2) {
    const low = narrowed(x, isHalf), high = narrowed(x + 32, isHalf)
    count += lost(low, isHalf) + lost(high, isHalf)
    spread(low, words, stride)
    spread(high, words + 8 * stride, stride)
  }
  return count
}

/** out[j] = scale[j] times word from[j], n of them, as f32. */
export function floatsOfWords(words: usize, from: usize, scale: usize, n: u32, isHalf: bool, out: usize): void {
  for (let j: u32 = 0; j < n; j++, from += 4, scale += 4, out += 4) {
    const word = i32x4.splat(load<u16>(words + (usize(load<u32>(from)) << 1)))
    const value = f32x4.extract_lane(isHalf ? widenHalves(word) : widenBfloats(word), 0)
    store<f32>(out, value * load<f32>(scale))
  }
}

/** n f32, a multiple of eight, as words. Returns how many are too large. */
export function wordsOfFloats(x: usize, n: u32, isHalf: bool, words: usize): u32 {
  let count: u32 = 0
  for (let i: u32 = 0; i < n; i += 8, x += 32, words += 16) {
    const w = narrowed(x, isHalf)
    count += lost(w, isHalf)
    v128.store(words, w)
  }
  return count
}
