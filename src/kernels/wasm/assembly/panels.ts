// How B rests in memory. Columns are cut into panels (8 wide, 4 for u64) and a panel's rows follow each other,
// so a matrix-vector product reads memory once, front to back, with its sums in registers.
//
// Bytes and limbs of 16 bits interleave two rows (c0k0 c0k1 c1k0 c1k1 ...): the shape i32x4.dot_i16x8_s wants. Elements of up
// to 48 bits are limbs, those of a pair of rows one below the other; all but the highest are taken less 2^15, so that they
// are signed, which the product makes good (finish in limbs.ts). S is the type of the source: u64 keystream words narrow
// on their way.
// Unused columns and the odd last row stay zero: the caller clears the memory first.

// @ts-ignore: decorator
@inline
function scatterLimbs<S>(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32, limbs: u32): void {
  const step = usize(limbs) << 5
  const panelBytes = usize((k + 1) >> 1) * step
  for (let r: u32 = 0; r < rows; r++) {
    const row = row0 + r
    const base = dst + usize(row >> 1) * step + ((row & 1) << 1)
    for (let j: u32 = 0; j < n; j++, src += sizeof<S>()) {
      let v = i64(load<S>(src))
      let to = base + usize(j >> 3) * panelBytes + (usize(j & 7) << 2)
      for (let l: u32 = 1; l < limbs; l++, to += 32, v >>= 16) store<u16>(to, u16(v) ^ 0x8000)
      store<i16>(to, i16(v))
    }
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

/**
 * Rows row0.. of a matrix at rest as i64 words, row major, to `out`. `width` is bytes an element: 1, 2, 4 or 6 for limbs, 8.
 */
export function gatherWords(
  panels: usize, width: u32, row0: u32, rows: u32, k: u32, n: u32, out: usize,
): void {
  const pairs = usize((k + 1) >> 1)
  for (let row = row0; row < row0 + rows; row++) {
    if (width == 8) {
      let from = panels + (usize(row) << 5)
      for (let j: u32 = 0; j < n; j++, out += 8) {
        store<u64>(out, load<u64>(from + (usize(j & 3) << 3)))
        if ((j & 3) == 3) from += usize(k) << 5
      }
    } else if (width == 1) {
      const base = panels + (usize(row >> 1) << 4) + (row & 1)
      for (let j: u32 = 0; j < n; j++, out += 8)
        store<i64>(out, load<i8>(base + ((usize(j >> 3) * pairs) << 4) + (usize(j & 7) << 1)))
    } else {
      const step = usize(width) << 4
      const base = panels + usize(row >> 1) * step + ((row & 1) << 1)
      for (let j: u32 = 0; j < n; j++, out += 8) {
        let from = base + usize(j >> 3) * pairs * step + (usize(j & 7) << 2)
        let v: i64 = 0, shift: i64 = 0
        for (let l: u32 = 2; l < width; l += 2, from += 32, shift += 16) v |= i64(load<u16>(from) ^ 0x8000) << shift
        store<i64>(out, v | (i64(load<i16>(from)) << shift))
      }
    }
  }
}
