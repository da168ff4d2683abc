// Products with matrices of signs, without multiplications. Sixteen columns are a panel: sixteen bytes have eight rows of
// it, a column a byte, a row a bit, set where the sign is minus. Four elements of a row of `a` have sixteen sums, one for
// each choice of their signs; four bits of a column say which one it takes. The sums lie apart by their bytes, sixteen of
// them a vector, so that one instruction looks up a byte of the sums for sixteen columns.

/** Puts rows row0.. of a row-major i8 matrix of n columns in their places: only the signs are kept. The caller clears `out`. */
export function scatterSigns(at: usize, row0: u32, rows: u32, k: u32, n: u32, out: usize): void {
  const panel = usize((k + 7) >> 3) << 4
  for (let r = row0; r < row0 + rows; r++) {
    const to = out + (usize(r >> 3) << 4)
    for (let j: u32 = 0; j < n; j++, at++) {
      const byte = to + usize(j >> 4) * panel + (j & 15)
      store<u8>(byte, load<u8>(byte) | (u8(load<i8>(at) < 0) << u8(r & 7)))
    }
  }
}

/** Rows row0.. as they were, row major: signs times the columns' scales, one byte each. */
export function gatherSigns(
  signs: usize, scales: usize, row0: u32, rows: u32, k: u32, n: u32, out: usize,
): void {
  const panel = usize((k + 7) >> 3) << 4
  for (let r = row0; r < row0 + rows; r++) {
    const from = signs + (usize(r >> 3) << 4)
    for (let j: u32 = 0; j < n; j++, out++) {
      const minus = (load<u8>(from + usize(j >> 4) * panel + (j & 15)) >> u8(r & 7)) & 1
      const scale = load<u8>(scales + j)
      store<u8>(out, minus ? -scale : scale)
    }
  }
}

// @ts-ignore: decorator
@inline
function element(a: usize, i: u32, k: u32, shift: u64, mask: u32): i32 {
  return i < k ? i32(u32(load<u64>(a + (usize(i) << 3)) >> shift) & mask) : 0
}

/**
 * Sums of every four of a row's k elements, each shifted down and masked, with all signs: `planes` vectors of bytes, 2 or 4,
 * for each four, and for zeros up to a multiple of eight.
 */
export function signSums(a: usize, k: u32, shift: u32, mask: u32, planes: u32, out: usize): void {
  const rows = (k + 7) & ~7
  for (let i: u32 = 0; i < rows; i += 4) {
    const w = element(a, i, k, shift, mask), x = element(a, i + 1, k, shift, mask)
    const y = element(a, i + 2, k, shift, mask), z = element(a, i + 3, k, shift, mask)
    // lane l: the signs of the first two by its bits
    let low = i32x4.splat(w + x)
    low = i32x4.replace_lane(low, 1, x - w)
    low = i32x4.replace_lane(low, 2, w - x)
    low = i32x4.replace_lane(low, 3, -w - x)
    const p = i32x4.add(low, i32x4.splat(y + z)), q = i32x4.add(low, i32x4.splat(z - y))
    const r = i32x4.add(low, i32x4.splat(y - z)), s = i32x4.add(low, i32x4.splat(-y - z))
    // bytes 0 and 1 of all sixteen, then bytes 2 and 3
    const pq = i8x16.shuffle(p, q, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29)
    const rs = i8x16.shuffle(r, s, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29)
    v128.store(out, i64x2.shuffle(pq, rs, 0, 2))
    v128.store(out, i64x2.shuffle(pq, rs, 1, 3), 16)
    out += 32
    if (planes == 2) continue
    const high = i8x16.shuffle(p, q, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31)
    const rest = i8x16.shuffle(r, s, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31)
    v128.store(out, i64x2.shuffle(high, rest, 0, 2))
    v128.store(out, i64x2.shuffle(high, rest, 1, 3), 16)
    out += 32
  }
}

// @ts-ignore: decorator
@inline
function interleaved(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

// @ts-ignore: decorator
@inline
function interleavedAbove(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

/** One row by all panels, mod 2^16: 16 sums of 32 bits a panel, of which the low half is right. */
function signs16(sums: usize, signs: usize, bytes: u32, panels: u32, out: usize): void {
  const end = signs + (usize(bytes * panels) << 4)
  for (; signs < end; out += 64) {
    let s0 = i16x8.splat(0), s1 = s0
    let from = sums
    for (const stop = signs + (usize(bytes) << 4); signs < stop; signs += 16, from += 64) {
      const both = v128.load(signs)
      let which = v128.and(both, i8x16.splat(15))
      let a = i8x16.swizzle(v128.load(from), which), b = i8x16.swizzle(v128.load(from, 16), which)
      s0 = i16x8.add(s0, interleaved(a, b))
      s1 = i16x8.add(s1, interleavedAbove(a, b))
      which = i8x16.shr_u(both, 4)
      a = i8x16.swizzle(v128.load(from, 32), which), b = i8x16.swizzle(v128.load(from, 48), which)
      s0 = i16x8.add(s0, interleaved(a, b))
      s1 = i16x8.add(s1, interleavedAbove(a, b))
    }
    v128.store(out, i32x4.extend_low_i16x8_u(s0))
    v128.store(out, i32x4.extend_high_i16x8_u(s0), 16)
    v128.store(out, i32x4.extend_low_i16x8_u(s1), 32)
    v128.store(out, i32x4.extend_high_i16x8_u(s1), 48)
  }
}

/** One row by all panels, mod 2^32. */
function signs32(sums: usize, signs: usize, bytes: u32, panels: u32, out: usize): void {
  const end = signs + (usize(bytes * panels) << 4)
  for (; signs < end; out += 64) {
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    let from = sums
    for (const stop = signs + (usize(bytes) << 4); signs < stop; signs += 16) {
      const both = v128.load(signs)
      let which = v128.and(both, i8x16.splat(15))
      for (let half = 0; half < 2; half++, from += 64) {
        const a = i8x16.swizzle(v128.load(from), which), b = i8x16.swizzle(v128.load(from, 16), which)
        const c = i8x16.swizzle(v128.load(from, 32), which), d = i8x16.swizzle(v128.load(from, 48), which)
        const ab = interleaved(a, b), cd = interleaved(c, d)
        s0 = i32x4.add(s0, i16x8.shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11))
        s1 = i32x4.add(s1, i16x8.shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15))
        const above = interleavedAbove(a, b), cdAbove = interleavedAbove(c, d)
        s2 = i32x4.add(s2, i16x8.shuffle(above, cdAbove, 0, 8, 1, 9, 2, 10, 3, 11))
        s3 = i32x4.add(s3, i16x8.shuffle(above, cdAbove, 4, 12, 5, 13, 6, 14, 7, 15))
        which = i8x16.shr_u(both, 4)
      }
    }
    v128.store(out, s0)
    v128.store(out, s1, 16)
    v128.store(out, s2, 32)
    v128.store(out, s3, 48)
  }
}

/**
 * A row's sums by all signs of a matrix of `bytes` times eight rows and `panels` times sixteen columns: i32 sums to `out`.
 * With 2 planes only their low 16 bits are right.
 */
export function mulSigns(
  sums: usize, planes: u32, signs: usize, bytes: u32, panels: u32, out: usize,
): void {
  if (planes == 2) signs16(sums, signs, bytes, panels, out)
  else signs32(sums, signs, bytes, panels, out)
}

/** out[i] += sum[i] * 2^shift of n signed sums, u64. */
export function addSigns(sums: usize, n: u32, shift: u32, out: usize): void {
  for (const end = sums + (usize(n) << 2); sums < end; sums += 4, out += 8)
    store<u64>(out, load<u64>(out) + (u64(i64(load<i32>(sums))) << u64(shift)))
}

/** out[i] = out[i] * scale[i] mod 2^bits, with scales of a byte. */
export function scaleSigns(out: usize, n: u32, scales: usize, bits: u32): void {
  const mask: u64 = u64(-1) >> (64 - bits)
  for (const end = scales + n; scales < end; scales++, out += 8)
    store<u64>(out, (load<u64>(out) * u64(load<u8>(scales))) & mask)
}
