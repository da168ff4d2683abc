// Byte planes, the operands of 8-bit matrix units: unsigned bytes of a, signed ones of b. All bytes of b but the
// highest are taken less 128; the caller adds that constant back (see finish in limbs.ts).

// Bytes 0..3 of four u64, then 4..7: lane p of the result has byte p of each.
// @ts-ignore: decorator
@inline
function low(a: usize): v128 {
  return i8x16.shuffle(v128.load(a), v128.load(a, 16), 0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27)
}

// @ts-ignore: decorator
@inline
function high(a: usize): v128 {
  return i8x16.shuffle(v128.load(a), v128.load(a, 16), 4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31)
}

// The first `planes` lanes of a, b, c and d, at most four of them, a plane each: 16 bytes every `count`.
// @ts-ignore: decorator
@inline
function putPlanes(a: v128, b: v128, c: v128, d: v128, planes: u32, count: usize, out: usize): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5)
  v128.store(out, i64x2.shuffle(ab, cd, 0, 2))
  if (planes > 1) v128.store(out + count, i64x2.shuffle(ab, cd, 1, 3))
  if (planes < 3) return
  const above = i32x4.shuffle(a, b, 2, 6, 3, 7), cdAbove = i32x4.shuffle(c, d, 2, 6, 3, 7)
  v128.store(out + 2 * count, i64x2.shuffle(above, cdAbove, 0, 2))
  if (planes > 3) v128.store(out + 3 * count, i64x2.shuffle(above, cdAbove, 1, 3))
}

/** `count` u64 at `a` -> `planes` planes of `count` bytes at `out`, low bytes first. */
export function splitBytes(a: usize, count: u32, planes: u32, out: usize): void {
  let i: u32 = 0
  for (; i + 16 <= count; i += 16, a += 128) {
    putPlanes(low(a), low(a + 32), low(a + 64), low(a + 96), planes, count, out + i)
    if (planes <= 4) continue
    const to = out + i + 4 * usize(count)
    putPlanes(high(a), high(a + 32), high(a + 64), high(a + 96), planes - 4, count, to)
  }
  for (; i < count; i++, a += 8) {
    let x = load<u64>(a)
    let to = out + i
    for (let p: u32 = 0; p < planes; p++, to += count, x >>= 8) store<u8>(to, u8(x))
  }
}

/** Turns bits of `count` u64 words in place. An even count is read and written. */
export function flip(words: usize, count: u32, bits: u64): void {
  const by = i64x2.splat(bits)
  for (let i: u32 = 0; i < count; i += 2, words += 16) v128.store(words, v128.xor(v128.load(words), by))
}
