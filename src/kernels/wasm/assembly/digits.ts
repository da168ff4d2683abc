// Digits of words for matrix units that take less than a word, and sums of the products of digits.
//
// A balanced digit of w bits is in -2^(w-1) .. 2^(w-1) - 1: half of its range is added to the word before it is cut, and
// taken off each digit. Where a digit reaches past the word's top it has no half: what is lost there is 0 mod 2^64.

// @ts-ignore: decorator
@inline
function halfOf(width: u32, q: u32): u64 {
  return width * (q + 1) <= 64 ? u64(1) << (width - 1) : 0
}

// @ts-ignore: decorator
@inline
function offsetOf(width: u32, digits: u32): u64 {
  let offset: u64 = 0
  for (let q: u32 = 0; q < digits; q++) offset += halfOf(width, q) << (width * q)
  return offset
}

/** `count` u64 at `a` -> their balanced digits as i32, `digits` arrays of `count`, low digits first. An even count is read. */
export function splitDigits(a: usize, count: u32, width: u32, digits: u32, out: usize): void {
  const offset = i64x2.splat(offsetOf(width, digits))
  const mask = i64x2.splat((u64(1) << width) - 1)
  for (let q: u32 = 0; q < digits; q++) {
    const half = i64x2.splat(halfOf(width, q))
    const shift = width * q
    let from = a
    for (let i: u32 = 0; i < count; i += 2, from += 16) {
      const cut = v128.and(i64x2.shr_u(i64x2.add(v128.load(from), offset), shift), mask)
      const digit = i64x2.sub(cut, half)
      const to = out + ((usize(q) * count + i) << 2)
      if (i + 1 < count) v128.store64_lane(to, i32x4.shuffle(digit, digit, 0, 2, 0, 2), 0)
      else v128.store32_lane(to, digit, 0)
    }
  }
}

/**
 * `count` u64 at `a` -> their 7-bit digits, one a byte: digits 0 .. 7 as a u64 at `low`, 8 and 9 as one at `high`. An even
 * count is read and written.
 */
export function spreadSevens(a: usize, count: u32, low: usize, high: usize): void {
  for (let i: u32 = 0; i < count; i += 2, a += 16, low += 16, high += 16) {
    const x = v128.load(a)
    let y = pulled(x, 0x000000000fffffff, 0x00fffffff0000000, 4)
    y = pulled(y, 0x00003fff00003fff, 0x0fffc0000fffc000, 2)
    v128.store(low, pulled(y, 0x007f007f007f007f, 0x3f803f803f803f80, 1))
    v128.store(high, pulled(i64x2.shr_u(x, 56), 0x7f, 0x80, 1))
  }
}

// The bits of `still`, and those of `moved` further up.
// @ts-ignore: decorator
@inline
function pulled(x: v128, still: u64, moved: u64, by: u32): v128 {
  return v128.or(
    v128.and(x, i64x2.splat(still)),
    i64x2.shl(v128.and(x, i64x2.splat(moved)), by),
  )
}

/** `count` u64 at `a` -> words whose bytes are their balanced 8-bit digits. An even count is read and written. */
export function balanceBytes(a: usize, count: u32, out: usize): void {
  const top = i8x16.splat(-128)
  for (let i: u32 = 0; i < count; i += 2, a += 16, out += 16)
    v128.store(out, v128.xor(i64x2.add(v128.load(a), top), top))
}

/**
 * sum[i] += the sum over p < digits of part p [i] * 2^(shift + p * step), for `count` elements: i32 parts, one after
 * another, into u64 sums. `sum` has room for an even count, and `parts` for one more element than there are.
 */
export function addParts32(sum: usize, parts: usize, count: u32, digits: u32, shift: u32, step: u32): void {
  for (let i: u32 = 0; i < count; i += 2, sum += 16, parts += 8) {
    let total = v128.load(sum)
    let at = parts
    for (let p: u32 = 0; p < digits; p++, at += usize(count) << 2)
      total = i64x2.add(total, i64x2.shl(v128.load32x2_s(at), shift + p * step))
    v128.store(sum, total)
  }
}

/** `addParts32` of i64 parts. */
export function addParts64(sum: usize, parts: usize, count: u32, digits: u32, shift: u32, step: u32): void {
  for (let i: u32 = 0; i < count; i += 2, sum += 16, parts += 16) {
    let total = v128.load(sum)
    let at = parts
    for (let p: u32 = 0; p < digits; p++, at += usize(count) << 3)
      total = i64x2.add(total, i64x2.shl(v128.load(at), shift + p * step))
    v128.store(sum, total)
  }
}

/** Bits that differ from the sign in any of `count` i64 words. */
export function spread(at: usize, count: u32): u64 {
  let bits: i64 = 0
  for (const end = at + (usize(count) << 3); at < end; at += 8) {
    const v = load<i64>(at)
    bits |= v ^ (v >> 63)
  }
  return bits
}
