// Rows of F32 or F64 to tiles of f64 and back.
import { LANES } from './lanes'

// @ts-ignore: decorator
@inline
function tileOf<W>(words: usize, stride: usize, width: u32, factors: usize, out: usize): void {
  for (let c: u32 = 0; c < width; c++, out += LANES, words += sizeof<W>()) {
    for (let l: usize = 0; l < 8; l++) {
      store<f64>(out + (l << 3), f64(load<W>(words + l * stride)) * load<f64>(factors + (l << 3)))
    }
  }
}

// @ts-ignore: decorator
@inline
function ofTile<W>(x: usize, width: u32, words: usize, stride: usize): u32 {
  let count: u32 = 0
  for (let c: u32 = 0; c < width; c++, x += LANES, words += sizeof<W>()) {
    for (let l: usize = 0; l < 8; l++) {
      const value = <W>load<f64>(x + (l << 3))
      count += u32(!isFinite<W>(value))
      store<W>(words + l * stride, value)
    }
  }
  return count
}

// @ts-ignore: decorator
@inline
function floatsOf<W>(words: usize, from: usize, scale: usize, n: u32, out: usize): void {
  for (let j: u32 = 0; j < n; j++, from += 4, scale += 8, out += 8) {
    store<f64>(out, f64(load<W>(words + usize(load<u32>(from)) * sizeof<W>())) * load<f64>(scale))
  }
}

// @ts-ignore: decorator
@inline
function ofFloats<W>(x: usize, n: u32, words: usize): u32 {
  let count: u32 = 0
  for (let i: u32 = 0; i < n; i++, x += 8, words += sizeof<W>()) {
    const value = <W>load<f64>(x)
    count += u32(!isFinite<W>(value))
    store<W>(words, value)
  }
  return count
}

/** Eight rows of `width` numbers, `stride` bytes apart, to a tile; see `tileOfWords`. `isSingle`: F32, else F64. */
export function tileOfNumbers(words: usize, stride: usize, width: u32, factors: usize, isSingle: bool, out: usize): void {
  if (isSingle) tileOf<f32>(words, stride, width, factors, out)
  else tileOf<f64>(words, stride, width, factors, out)
}

/** A tile to eight rows. Returns how many values are too large. */
export function numbersOfTile(x: usize, width: u32, isSingle: bool, words: usize, stride: usize): u32 {
  return isSingle ? ofTile<f32>(x, width, words, stride) : ofTile<f64>(x, width, words, stride)
}

/** out[j] = scale[j] times number from[j], n of them, as f64. */
export function floatsOfNumbers(words: usize, from: usize, scale: usize, n: u32, isSingle: bool, out: usize): void {
  if (isSingle) floatsOf<f32>(words, from, scale, n, out)
  else floatsOf<f64>(words, from, scale, n, out)
}

/** n f64 as stored numbers. Returns how many are too large. */
export function numbersOfFloats(x: usize, n: u32, isSingle: bool, words: usize): u32 {
  return isSingle ? ofFloats<f32>(x, n, words) : ofFloats<f64>(x, n, words)
}
