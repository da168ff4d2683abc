// Products with 32-bit matrices, and with 16-bit ones mod 2^64, where a 16 x 16 bit sum has no headroom.
// `a` is what splitWords wrote (lo, hi); `out` has m rows of 8 * panels u64.

// @ts-ignore: decorator
@inline
function put(out: usize, low: v128, high: v128): void {
  v128.store(out, i64x2.add(low, high))
}

/** i32 matrix mod 2^32. */
export function mul32x32(a: usize, m: u32, b: usize, k: u32, panels: u32, out: usize): void {
  for (let p: u32 = 0; p < panels; p++, b += usize(k) << 5) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      let s0 = i32x4.splat(0), s1 = s0
      let from = b
      for (let i: u32 = 0; i < k; i++, at += 8, from += 32) {
        const x = v128.load32_splat(at)
        s0 = i32x4.add(s0, i32x4.mul(x, v128.load(from)))
        s1 = i32x4.add(s1, i32x4.mul(x, v128.load(from, 16)))
      }
      const to = out + ((usize(r) * panels + p) << 6)
      v128.store(to, i64x2.extend_low_i32x4_u(s0))
      v128.store(to, i64x2.extend_high_i32x4_u(s0), 16)
      v128.store(to, i64x2.extend_low_i32x4_u(s1), 32)
      v128.store(to, i64x2.extend_high_i32x4_u(s1), 48)
    }
  }
}

/** i32 matrix mod 2^64: lo * b in full, hi * b mod 2^32. */
export function mul32x64(a: usize, m: u32, b: usize, k: u32, panels: u32, out: usize): void {
  for (let p: u32 = 0; p < panels; p++, b += usize(k) << 5) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      let s0 = i64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, h0 = s0, h1 = s0
      let from = b
      for (let i: u32 = 0; i < k; i++, at += 8, from += 32) {
        const x = v128.load32_splat(at), y = v128.load32_splat(at, 4)
        const b0 = v128.load(from), b1 = v128.load(from, 16)
        s0 = i64x2.add(s0, i64x2.extmul_low_i32x4_s(x, b0))
        s1 = i64x2.add(s1, i64x2.extmul_high_i32x4_s(x, b0))
        s2 = i64x2.add(s2, i64x2.extmul_low_i32x4_s(x, b1))
        s3 = i64x2.add(s3, i64x2.extmul_high_i32x4_s(x, b1))
        h0 = i32x4.add(h0, i32x4.mul(y, b0))
        h1 = i32x4.add(h1, i32x4.mul(y, b1))
      }
      const to = out + ((usize(r) * panels + p) << 6)
      put(to, s0, i64x2.shl(i64x2.extend_low_i32x4_u(h0), 32))
      put(to + 16, s1, i64x2.shl(i64x2.extend_high_i32x4_u(h0), 32))
      put(to + 32, s2, i64x2.shl(i64x2.extend_low_i32x4_u(h1), 32))
      put(to + 48, s3, i64x2.shl(i64x2.extend_high_i32x4_u(h1), 32))
    }
  }
}

/** i16 matrix (pair-interleaved) mod 2^64: a pair is one 32-bit lane, split by shifts into its two rows. */
export function mul16x64(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  for (let p: u32 = 0; p < panels; p++, b += usize(pairs) << 5) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      let s0 = i64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, h0 = s0, h1 = s0
      let from = b
      for (let i: u32 = 0; i < pairs; i++, at += 16, from += 32) {
        const v0 = v128.load(from), v1 = v128.load(from, 16)
        let x = v128.load32_splat(at), y = v128.load32_splat(at, 4)
        let b0 = i32x4.shr_s(i32x4.shl(v0, 16), 16), b1 = i32x4.shr_s(i32x4.shl(v1, 16), 16)
        s0 = i64x2.add(s0, i64x2.extmul_low_i32x4_s(x, b0))
        s1 = i64x2.add(s1, i64x2.extmul_high_i32x4_s(x, b0))
        s2 = i64x2.add(s2, i64x2.extmul_low_i32x4_s(x, b1))
        s3 = i64x2.add(s3, i64x2.extmul_high_i32x4_s(x, b1))
        h0 = i32x4.add(h0, i32x4.mul(y, b0))
        h1 = i32x4.add(h1, i32x4.mul(y, b1))
        x = v128.load32_splat(at, 8), y = v128.load32_splat(at, 12)
        b0 = i32x4.shr_s(v0, 16), b1 = i32x4.shr_s(v1, 16)
        s0 = i64x2.add(s0, i64x2.extmul_low_i32x4_s(x, b0))
        s1 = i64x2.add(s1, i64x2.extmul_high_i32x4_s(x, b0))
        s2 = i64x2.add(s2, i64x2.extmul_low_i32x4_s(x, b1))
        s3 = i64x2.add(s3, i64x2.extmul_high_i32x4_s(x, b1))
        h0 = i32x4.add(h0, i32x4.mul(y, b0))
        h1 = i32x4.add(h1, i32x4.mul(y, b1))
      }
      const to = out + ((usize(r) * panels + p) << 6)
      put(to, s0, i64x2.shl(i64x2.extend_low_i32x4_u(h0), 32))
      put(to + 16, s1, i64x2.shl(i64x2.extend_high_i32x4_u(h0), 32))
      put(to + 32, s2, i64x2.shl(i64x2.extend_low_i32x4_u(h1), 32))
      put(to + 48, s3, i64x2.shl(i64x2.extend_high_i32x4_u(h1), 32))
    }
  }
}
