// Products with 8- and 16-bit matrices (pair-interleaved panels of 8 columns), on signed 16-bit limbs of a.
// `a` is what splitPairs wrote; `out` has m rows of 8 * panels u64.

// First and second half of the 16 elements of a row pair, widened to 16 bits.
// @ts-ignore: decorator
@inline
function first<T>(b: usize): v128 {
  return sizeof<T>() == 1 ? v128.load8x8_s(b) : v128.load(b)
}

// @ts-ignore: decorator
@inline
function second<T>(b: usize): v128 {
  return sizeof<T>() == 1 ? v128.load8x8_s(b, 8) : v128.load(b, 16)
}

// @ts-ignore: decorator
@inline
function put(out: usize, x: v128): void {
  v128.store(out, i64x2.extend_low_i32x4_u(x))
  v128.store(out, i64x2.extend_high_i32x4_u(x), 16)
}

// Mod 2^16: sixteen-bit lanes all the way, twice the multiplications an instruction.
// @ts-ignore: decorator
@inline
function ring16<T>(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  const step = sizeof<T>() << 4
  for (let p: u32 = 0; p < panels; p++, b += usize(pairs) * step) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      let s0 = i16x8.splat(0), s1 = s0
      let from = b
      for (let i: u32 = 0; i < pairs; i++, at += 4, from += step) {
        const x = v128.load32_splat(at)
        s0 = i16x8.add(s0, i16x8.mul(x, first<T>(from)))
        s1 = i16x8.add(s1, i16x8.mul(x, second<T>(from)))
      }
      const to = out + ((usize(r) * panels + p) << 6)
      put(to, i32x4.extadd_pairwise_i16x8_s(s0))
      put(to + 32, i32x4.extadd_pairwise_i16x8_s(s1))
    }
  }
}

// Mod 2^32: two limbs; both sums wrap mod 2^32, which is all that is needed of them.
// @ts-ignore: decorator
@inline
function ring32<T>(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  const step = sizeof<T>() << 4
  for (let p: u32 = 0; p < panels; p++, b += usize(pairs) * step) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      let s0 = i32x4.splat(0), s1 = s0, t0 = s0, t1 = s0
      let from = b
      for (let i: u32 = 0; i < pairs; i++, at += 8, from += step) {
        const x = v128.load32_splat(at), y = v128.load32_splat(at, 4)
        const b0 = first<T>(from), b1 = second<T>(from)
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, b0))
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, b1))
        t0 = i32x4.add(t0, i32x4.dot_i16x8_s(y, b0))
        t1 = i32x4.add(t1, i32x4.dot_i16x8_s(y, b1))
      }
      const to = out + ((usize(r) * panels + p) << 6)
      put(to, i32x4.add(s0, i32x4.shl(t0, 16)))
      put(to + 32, i32x4.add(s1, i32x4.shl(t1, 16)))
    }
  }
}

// Adds the four limb sums of four columns to the 64-bit results.
// @ts-ignore: decorator
@inline
function fold(out: usize, l0: v128, l1: v128, l2: v128, l3: v128): void {
  // limbs 2 and 3 only matter mod 2^32 and 2^16: joined in the upper word
  const high = i32x4.add(l2, i32x4.shl(l3, 16))
  let low = i64x2.add(i64x2.extend_low_i32x4_s(l0), i64x2.shl(i64x2.extend_low_i32x4_s(l1), 16))
  let sum = i64x2.add(low, i64x2.shl(i64x2.extend_low_i32x4_u(high), 32))
  v128.store(out, i64x2.add(v128.load(out), sum))
  low = i64x2.add(i64x2.extend_high_i32x4_s(l0), i64x2.shl(i64x2.extend_high_i32x4_s(l1), 16))
  sum = i64x2.add(low, i64x2.shl(i64x2.extend_high_i32x4_u(high), 32))
  v128.store(out, i64x2.add(v128.load(out, 16), sum), 16)
}

/**
 * i8 matrix mod 2^64: four limbs. The 32-bit sums of limbs 0 and 1 must be exact: |limb| <= 2^15, |b| <= 2^7, so
 * 128 row pairs (256 products) reach 2^30 at most and are then folded into the 64-bit results.
 */
export function mul8x64(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  memory.fill(out, 0, (usize(m) * panels) << 6)
  for (let p: u32 = 0; p < panels; p++, b += usize(pairs) << 4) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      const to = out + ((usize(r) * panels + p) << 6)
      let from = b
      for (let i0: u32 = 0; i0 < pairs; i0 += 128) {
        const stop = min<u32>(i0 + 128, pairs)
        let s0 = i32x4.splat(0), s1 = s0, t0 = s0, t1 = s0, u0 = s0, u1 = s0, w0 = s0, w1 = s0
        for (let i = i0; i < stop; i++, at += 16, from += 16) {
          const b0 = first<i8>(from), b1 = second<i8>(from)
          let x = v128.load32_splat(at)
          s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, b0))
          s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, b1))
          x = v128.load32_splat(at, 4)
          t0 = i32x4.add(t0, i32x4.dot_i16x8_s(x, b0))
          t1 = i32x4.add(t1, i32x4.dot_i16x8_s(x, b1))
          x = v128.load32_splat(at, 8)
          u0 = i32x4.add(u0, i32x4.dot_i16x8_s(x, b0))
          u1 = i32x4.add(u1, i32x4.dot_i16x8_s(x, b1))
          x = v128.load32_splat(at, 12)
          w0 = i32x4.add(w0, i32x4.dot_i16x8_s(x, b0))
          w1 = i32x4.add(w1, i32x4.dot_i16x8_s(x, b1))
        }
        fold(to, s0, t0, u0, w0)
        fold(to + 32, s1, t1, u1, w1)
      }
    }
  }
}

export function mul8x16(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring16<i8>(a, m, b, pairs, panels, out)
}

export function mul16x16(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring16<i16>(a, m, b, pairs, panels, out)
}

export function mul8x32(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring32<i8>(a, m, b, pairs, panels, out)
}

export function mul16x32(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring32<i16>(a, m, b, pairs, panels, out)
}
