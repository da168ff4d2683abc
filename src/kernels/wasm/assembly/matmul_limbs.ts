// Products with matrices of 16-bit limbs in rings above 32 bits, and of two limbs in those up to 32 (panels.ts). WebAssembly
// has no product of 64-bit lanes that is worth its name, but adds up two 16-bit ones at once (i32x4.dot_i16x8_s).
//
// A sum of products of limbs that counts 2^s is needed mod 2^(bits - s): where that is at most 32 bits, a lane may wrap. The
// others are exact: the limb of `a` has 12 bits there, so 30 products, of 15 row pairs, reach 30 * 2^11 * 2^15 < 2^31, and
// are then folded into the 64-bit results. `a` is what splitPairs wrote; `out` has m rows of 8 * panels u64.
//
// Six products of 16-bit limbs do for 36 bits. Of 7-bit digits by bytes, which relaxed SIMD adds up four at a time, it takes
// 16, which is slower on one row and on many, even where the processor has an instruction for it; and not every engine has it.

/** Row pairs whose sums stay exact. */
const EXACT: u32 = 15

// @ts-ignore: decorator
@inline
function add(sum: v128, x: v128, y: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, y))
}

// Adds four exact sums, which count 2^shift, to the results.
// @ts-ignore: decorator
@inline
function fold(out: usize, sum: v128, shift: u32): void {
  v128.store(out, i64x2.add(v128.load(out), i64x2.shl(i64x2.extend_low_i32x4_s(sum), shift)))
  v128.store(out, i64x2.add(v128.load(out, 16), i64x2.shl(i64x2.extend_high_i32x4_s(sum), shift)), 16)
}

/** Matrices of two limbs mod 2^32: `a` has two limbs of 16 bits. */
export function mul32x32(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  memory.fill(out, 0, (usize(m) * panels) << 6)
  for (let p: u32 = 0; p < panels; p++, b += usize(pairs) << 6) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      let s0 = i32x4.splat(0), s1 = s0, t0 = s0, t1 = s0
      let from = b
      for (let i: u32 = 0; i < pairs; i++, at += 8, from += 64) {
        const x = v128.load32_splat(at), y = v128.load32_splat(at, 4)
        const b0 = v128.load(from), b1 = v128.load(from, 16)
        s0 = add(s0, x, b0)
        s1 = add(s1, x, b1)
        t0 = add(add(t0, y, b0), x, v128.load(from, 32))
        t1 = add(add(t1, y, b1), x, v128.load(from, 48))
      }
      const to = out + ((usize(r) * panels + p) << 6)
      fold(to, i32x4.add(s0, i32x4.shl(t0, 16)), 0)
      fold(to + 32, i32x4.add(s1, i32x4.shl(t1, 16)), 0)
    }
  }
}

// Mod 2^44: `a` has limbs of 12, 16 and 16 bits, and only the lowest sum is exact.
// @ts-ignore: decorator
@inline
function ring44(limbs: u32, a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  const step = usize(limbs) << 5
  memory.fill(out, 0, (usize(m) * panels) << 6)
  for (let p: u32 = 0; p < panels; p++, b += pairs * step) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      const to = out + ((usize(r) * panels + p) << 6)
      // Named by what they count: 2^12, 2^16, 2^28 and 2^32.
      let s12 = i32x4.splat(0), t12 = s12, s16 = s12, t16 = s12, s28 = s12, t28 = s12, s32 = s12, t32 = s12
      let from = b
      for (let i0: u32 = 0; i0 < pairs; i0 += EXACT) {
        const stop = min<u32>(i0 + EXACT, pairs)
        let s = i32x4.splat(0), t = s
        for (let i = i0; i < stop; i++, at += 12, from += step) {
          const x = v128.load32_splat(at), y = v128.load32_splat(at, 4), z = v128.load32_splat(at, 8)
          const b0 = v128.load(from), b1 = v128.load(from, 16)
          s = add(s, x, b0)
          t = add(t, x, b1)
          s12 = add(s12, y, b0)
          t12 = add(t12, y, b1)
          s28 = add(s28, z, b0)
          t28 = add(t28, z, b1)
          if (limbs > 1) {
            const c0 = v128.load(from, 32), c1 = v128.load(from, 48)
            s16 = add(s16, x, c0)
            t16 = add(t16, x, c1)
            s28 = add(s28, y, c0)
            t28 = add(t28, y, c1)
          }
          if (limbs > 2) {
            s32 = add(s32, x, v128.load(from, 64))
            t32 = add(t32, x, v128.load(from, 80))
          }
        }
        fold(to, s, 0)
        fold(to + 32, t, 0)
      }
      fold(to, s12, 12)
      fold(to + 32, t12, 12)
      fold(to, s28, 28)
      fold(to + 32, t28, 28)
      if (limbs > 1) {
        fold(to, s16, 16)
        fold(to + 32, t16, 16)
      }
      if (limbs > 2) {
        fold(to, s32, 32)
        fold(to + 32, t32, 32)
      }
    }
  }
}

// Mod 2^64: `a` has limbs of 12, 12, 12, 16 and 12 bits. Four columns at a time, as there are so many sums.
// @ts-ignore: decorator
@inline
function ring64(limbs: u32, a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  const step = usize(limbs) << 5
  memory.fill(out, 0, (usize(m) * panels) << 6)
  for (let h: u32 = 0; h < 2 * panels; h++) {
    const half = b + usize(h >> 1) * pairs * step + ((h & 1) << 4)
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      const to = out + ((usize(r) * panels) << 6) + (usize(h) << 5)
      let s32 = i32x4.splat(0), s36 = s32, s40 = s32, s44 = s32, s52 = s32, s56 = s32
      let from = half
      for (let i0: u32 = 0; i0 < pairs; i0 += EXACT) {
        const stop = min<u32>(i0 + EXACT, pairs)
        let s0 = i32x4.splat(0), s12 = s0, s16 = s0, s24 = s0, s28 = s0
        for (let i = i0; i < stop; i++, at += 20, from += step) {
          const x0 = v128.load32_splat(at), x1 = v128.load32_splat(at, 4), x2 = v128.load32_splat(at, 8)
          const x3 = v128.load32_splat(at, 12), x4 = v128.load32_splat(at, 16)
          const b0 = v128.load(from)
          s0 = add(s0, x0, b0)
          s12 = add(s12, x1, b0)
          s24 = add(s24, x2, b0)
          s36 = add(s36, x3, b0)
          s52 = add(s52, x4, b0)
          if (limbs > 1) {
            const b1 = v128.load(from, 32)
            s16 = add(s16, x0, b1)
            s28 = add(s28, x1, b1)
            s40 = add(s40, x2, b1)
            s52 = add(s52, x3, b1)
          }
          if (limbs > 2) {
            const b2 = v128.load(from, 64)
            s32 = add(s32, x0, b2)
            s44 = add(s44, x1, b2)
            s56 = add(s56, x2, b2)
          }
        }
        fold(to, s0, 0)
        fold(to, s12, 12)
        fold(to, s24, 24)
        if (limbs > 1) {
          fold(to, s16, 16)
          fold(to, s28, 28)
        }
      }
      fold(to, s36, 36)
      fold(to, s52, 52)
      if (limbs > 1) fold(to, s40, 40)
      if (limbs > 2) {
        fold(to, s32, 32)
        fold(to, s44, 44)
        fold(to, s56, 56)
      }
    }
  }
}

export function mul16x44(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring44(1, a, m, b, pairs, panels, out)
}

export function mul32x44(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring44(2, a, m, b, pairs, panels, out)
}

export function mul48x44(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring44(3, a, m, b, pairs, panels, out)
}

export function mul16x64(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring64(1, a, m, b, pairs, panels, out)
}

export function mul32x64(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring64(2, a, m, b, pairs, panels, out)
}

export function mul48x64(a: usize, m: u32, b: usize, pairs: u32, panels: u32, out: usize): void {
  ring64(3, a, m, b, pairs, panels, out)
}
