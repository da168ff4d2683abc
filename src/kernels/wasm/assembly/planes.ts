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

// @ts-ignore: decorator
@inline
function gather<T>(panels: usize, q: u32, flip: u8, row0: u32, rows: u32, k: u32, n: u32, out: usize): void {
  const log: u32 = sizeof<T>() == 8 ? 2 : 3
  const low: u32 = (1 << log) - 1
  const paired = sizeof<T>() <= 2
  const panelBytes = (usize(paired ? (k + 1) & ~1 : k) << log) * sizeof<T>()
  for (let r = row0; r < row0 + rows; r++) {
    const base = panels + (paired ? (usize(r >> 1) << 4) + (r & 1) : usize(r) << log) * sizeof<T>()
    const step = usize(paired ? 2 : 1) * sizeof<T>()
    for (let j: u32 = 0; j < n; j++, out++) {
      store<u8>(out, load<u8>(base + usize(j >> log) * panelBytes + usize(j & low) * step + q) ^ flip)
    }
  }
}

/**
 * Rows row0.. of byte plane q of a matrix at rest (panels.ts), row major, to `out`; each byte is xored with `flip`.
 * `width` is 1, 2 or 4: see `gatherPlanes64`.
 */
export function gatherPlane(
  panels: usize,
  width: u32,
  q: u32,
  flip: u8,
  row0: u32,
  rows: u32,
  k: u32,
  n: u32,
  out: usize,
): void {
  if (width == 1) gather<i8>(panels, q, flip, row0, rows, k, n, out)
  else if (width == 2) gather<i16>(panels, q, flip, row0, rows, k, n, out)
  else gather<i32>(panels, q, flip, row0, rows, k, n, out)
}

// A plane of four rows of a panel, one row a lane, to `out` and every n bytes below it.
// @ts-ignore: decorator
@inline
function putRows(plane: v128, flip: v128, n: u32, out: usize): void {
  const x = v128.xor(plane, flip)
  v128.store32_lane(out, x, 0)
  v128.store32_lane(out + n, x, 1)
  v128.store32_lane(out + 2 * usize(n), x, 2)
  v128.store32_lane(out + 3 * usize(n), x, 3)
}

/**
 * The lowest `planes` byte planes of rows row0.. of a 64-bit matrix at rest, each rows x n, one after another to `out`.
 * Planes below `top` are xored with 0x80.
 */
export function gatherPlanes64(
  panels: usize, planes: u32, top: u32, row0: u32, rows: u32, k: u32, n: u32, out: usize,
): void {
  const size = usize(rows) * n
  const whole = n >> 2
  const fours = rows & ~3
  for (let p: u32 = 0; p <= whole; p++) {
    const columns: u32 = p < whole ? 4 : n & 3
    let at = panels + ((usize(p) * k + row0) << 5)
    let to = out + 4 * usize(p)
    let r: u32 = 0
    if (columns == 4) {
      for (; r < fours; r += 4, at += 128, to += 4 * usize(n)) {
        for (let half: u32 = 0; half < planes; half += 4) {
          // Lane q of each is a row's bytes of plane half + q.
          const a = half ? high(at) : low(at), b = half ? high(at + 32) : low(at + 32)
          const c = half ? high(at + 64) : low(at + 64), d = half ? high(at + 96) : low(at + 96)
          const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5)
          const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7), cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7)
          const left = planes - half
          const dst = to + half * size
          putRows(i64x2.shuffle(ab, cd, 0, 2), flipOf(half, top), n, dst)
          if (left > 1) putRows(i64x2.shuffle(ab, cd, 1, 3), flipOf(half + 1, top), n, dst + size)
          if (left > 2) putRows(i64x2.shuffle(abHigh, cdHigh, 0, 2), flipOf(half + 2, top), n, dst + 2 * size)
          if (left > 3) putRows(i64x2.shuffle(abHigh, cdHigh, 1, 3), flipOf(half + 3, top), n, dst + 3 * size)
        }
      }
    }
    for (; r < rows; r++, at += 32, to += n)
      for (let j: u32 = 0; j < columns; j++)
        for (let q: u32 = 0; q < planes; q++)
          store<u8>(to + j + q * size, load<u8>(at + 8 * j + q) ^ (q < top ? 0x80 : 0))
  }
}

// @ts-ignore: decorator
@inline
function flipOf(q: u32, top: u32): v128 {
  return i8x16.splat(q < top ? -128 : 0)
}
