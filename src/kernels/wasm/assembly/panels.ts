// How B rests in memory. Columns are cut into panels (8 wide, 4 for u64) and a panel's rows follow each other,
// so a matrix-vector product reads memory once, front to back, with its sums in registers.
//
// Bytes and limbs of 16 bits interleave two rows (c0k0 c0k1 c1k0 c1k1 ...): the shape i32x4.dot_i16x8_s wants. Elements of up
// to 48 bits are limbs, those of a pair of rows one below the other; all but the highest are taken less 2^15, so that they
// are signed, which the product makes good (finish in limbs.ts). S is the type of the source: u64 keystream words narrow
// on their way.
// Unused columns and the odd last row stay zero: the caller clears the memory first.

// Sixteen bits of four columns of two rows, from `low` or `high` halves of 32-bit lanes: as they lie at rest.
// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
}

// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
}

// Four columns of rows a and b, by their 32-bit halves (the upper for three limbs only), to rest.
// @ts-ignore: decorator
@inline
function put4(to: usize, a: v128, b: v128, above: v128, bAbove: v128, limbs: u32): void {
  const half = i16x8.splat(-0x8000)
  v128.store(to, limbs > 1 ? v128.xor(low(a, b), half) : low(a, b))
  if (limbs > 1) v128.store(to + 32, limbs > 2 ? v128.xor(high(a, b), half) : high(a, b))
  if (limbs > 2) v128.store(to + 64, low(above, bAbove))
}

// @ts-ignore: decorator
@inline
function put1<S>(src: usize, to: usize, limbs: u32): void {
  let v = i64(load<S>(src))
  for (let l: u32 = 1; l < limbs; l++, to += 32, v >>= 16) store<u16>(to, u16(v) ^ 0x8000)
  store<i16>(to, i16(v))
}

// @ts-ignore: decorator
@inline
function scatterLimbs<S>(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32, limbs: u32): void {
  const step = usize(limbs) << 5
  const panelBytes = usize((k + 1) >> 1) * step
  const rowBytes = usize(n) * sizeof<S>()
  for (let r: u32 = 0; r < rows; r++, src += rowBytes) {
    const row = row0 + r
    const base = dst + usize(row >> 1) * step + ((row & 1) << 1)
    let j: u32 = 0
    // Words of two rows that lie together, four columns at a time; the second row is then left with the columns behind.
    if (sizeof<S>() == 8 && !(row & 1) && r + 1 < rows) {
      for (let from = src; j + 4 <= n; j += 4, from += 32) {
        const a0 = v128.load(from), a1 = v128.load(from, 16)
        const b0 = v128.load(from + rowBytes), b1 = v128.load(from + rowBytes, 16)
        const to = base + usize(j >> 3) * panelBytes + (usize(j & 4) << 2)
        const a = i32x4.shuffle(a0, a1, 0, 2, 4, 6), b = i32x4.shuffle(b0, b1, 0, 2, 4, 6)
        put4(to, a, b, i32x4.shuffle(a0, a1, 1, 3, 5, 7), i32x4.shuffle(b0, b1, 1, 3, 5, 7), limbs)
      }
    } else if (sizeof<S>() == 8 && row & 1 && r > 0) j = n & ~3
    for (; j < n; j++)
      put1<S>(src + usize(j) * sizeof<S>(), base + usize(j >> 3) * panelBytes + (usize(j & 7) << 2), limbs)
  }
}

/** Puts rows row0..row0+rows of a k x n row-major i8 matrix, contiguous at `src`, in their places at `dst`. */
export function scatter8(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  const panelBytes = usize((k + 1) & ~1) << 3
  for (let r: u32 = 0; r < rows; r++) {
    const row = row0 + r
    const base = dst + (usize(row >> 1) << 4) + (row & 1)
    for (let j: u32 = 0; j < n; j++, src++)
      store<u8>(base + usize(j >> 3) * panelBytes + (usize(j & 7) << 1), load<u8>(src))
  }
}

/** `scatter8` of i16 to one limb. */
export function scatter16(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterLimbs<i16>(src, dst, row0, rows, k, n, 1)
}

/** `scatter8` of i32 to two limbs. */
export function scatter32(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterLimbs<i32>(src, dst, row0, rows, k, n, 2)
}

/** `scatter8` of u64 in panels of four columns. */
export function scatter64(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  const panelBytes = usize(k) << 5
  for (let r: u32 = 0; r < rows; r++) {
    const base = dst + (usize(row0 + r) << 5)
    for (let j: u32 = 0; j < n; j++, src += 8)
      store<u64>(base + usize(j >> 2) * panelBytes + (usize(j & 3) << 3), load<u64>(src))
  }
}

/** u64 words to one limb: for rings of at most 16 bits. */
export function narrow16(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterLimbs<i64>(src, dst, row0, rows, k, n, 1)
}

/** u64 words to two limbs: for rings of at most 32 bits. */
export function narrow32(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterLimbs<i64>(src, dst, row0, rows, k, n, 2)
}

/** u64 words to three limbs: for rings of at most 48 bits. */
export function narrow48(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterLimbs<i64>(src, dst, row0, rows, k, n, 3)
}

// An element of limbs at rest, halves put back.
// @ts-ignore: decorator
@inline
function take1(from: usize, limbs: u32): i64 {
  let v: i64 = 0, shift: i64 = 0
  for (let l: u32 = 1; l < limbs; l++, from += 32, shift += 16) v |= i64(load<u16>(from) ^ 0x8000) << shift
  return v | (i64(load<i16>(from)) << shift)
}

// Four columns of an even or odd row of limbs at rest, as i64.
// @ts-ignore: decorator
@inline
function take4(from: usize, isOdd: bool, limbs: u32, out: usize): void {
  const half = i16x8.splat(-0x8000)
  const a = limbs > 1 ? v128.xor(v128.load(from), half) : v128.load(from)
  let words: v128, above: v128
  if (limbs == 1) words = isOdd ? i32x4.shr_s(a, 16) : i32x4.shr_s(i32x4.shl(a, 16), 16)
  else {
    const b = limbs > 2 ? v128.xor(v128.load(from, 32), half) : v128.load(from, 32)
    words = isOdd ? high(a, b) : low(a, b)
  }
  if (limbs > 2) {
    const c = v128.load(from, 64)
    above = isOdd ? i32x4.shr_s(c, 16) : i32x4.shr_s(i32x4.shl(c, 16), 16)
  } else above = i32x4.shr_s(words, 31)
  v128.store(out, i32x4.shuffle(words, above, 0, 4, 1, 5))
  v128.store(out, i32x4.shuffle(words, above, 2, 6, 3, 7), 16)
}

// @ts-ignore: decorator
@inline
function gatherLimbs(panels: usize, row0: u32, rows: u32, k: u32, n: u32, out: usize, limbs: u32): void {
  const step = usize(limbs) << 5
  const panelBytes = usize((k + 1) >> 1) * step
  for (let row = row0; row < row0 + rows; row++) {
    const base = panels + usize(row >> 1) * step
    const isOdd = (row & 1) == 1
    let j: u32 = 0
    for (; j + 4 <= n; j += 4, out += 32)
      take4(base + usize(j >> 3) * panelBytes + (usize(j & 4) << 2), isOdd, limbs, out)
    for (; j < n; j++, out += 8)
      store<i64>(out, take1(base + usize(j >> 3) * panelBytes + (usize(j & 7) << 2) + (usize(isOdd) << 1), limbs))
  }
}

/**
 * Rows row0.. of a matrix at rest as i64 words, row major, to `out`. `width` is bytes an element: 1, 2, 4 or 6 for limbs, 8.
 */
export function gatherWords(panels: usize, width: u32, row0: u32, rows: u32, k: u32, n: u32, out: usize): void {
  if (width == 2) gatherLimbs(panels, row0, rows, k, n, out, 1)
  else if (width == 4) gatherLimbs(panels, row0, rows, k, n, out, 2)
  else if (width == 6) gatherLimbs(panels, row0, rows, k, n, out, 3)
  else if (width == 1)
    for (let row = row0; row < row0 + rows; row++) {
      const base = panels + (usize(row >> 1) << 4) + (row & 1)
      for (let j: u32 = 0; j < n; j++, out += 8)
        store<i64>(out, load<i8>(base + usize(j >> 3) * (usize((k + 1) >> 1) << 4) + (usize(j & 7) << 1)))
    }
  else
    for (let row = row0; row < row0 + rows; row++) {
      let from = panels + (usize(row) << 5)
      let j: u32 = 0
      for (; j + 4 <= n; j += 4, out += 32, from += usize(k) << 5) memory.copy(out, from, 32)
      for (; j < n; j++, out += 8) store<u64>(out, load<u64>(from + (usize(j & 3) << 3)))
    }
}
