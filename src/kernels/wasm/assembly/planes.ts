// Byte planes, the operands of 8-bit matrix units: unsigned bytes of a, signed ones of b. All bytes of b but the
// highest are taken less 128; the caller adds that constant back (see finish in limbs.ts). Planes of a product are
// exact in 32 bits while k * 255 * 128 < 2^31.

/** `count` u64 at `a` -> `planes` planes of `count` bytes at `out`, low bytes first. */
export function splitBytes(a: usize, count: u32, planes: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++, a += 8) {
    let x = load<u64>(a)
    let to = out + i
    for (let p: u32 = 0; p < planes; p++, to += count, x >>= 8) store<u8>(to, u8(x))
  }
}

/** sum[i] += part[i] * 2^shift for `count` elements: i32 parts into u64 sums. `sum` has room for an even count. */
export function addPlane(sum: usize, part: usize, count: u32, shift: u32): void {
  for (let i: u32 = 0; i < count; i += 2, sum += 16, part += 8) {
    const wide = i64x2.shl(v128.load32x2_s(part), shift)
    v128.store(sum, i64x2.add(v128.load(sum), wide))
  }
}

// @ts-ignore: decorator
@inline
function gather<T>(panels: usize, q: u32, row0: u32, rows: u32, k: u32, n: u32, out: usize): void {
  const log: u32 = sizeof<T>() == 8 ? 2 : 3
  const low: u32 = (1 << log) - 1
  const paired = sizeof<T>() <= 2
  const panelBytes = (usize(paired ? (k + 1) & ~1 : k) << log) * sizeof<T>()
  const flip: u8 = q + 1 < sizeof<T>() ? 0x80 : 0
  for (let r = row0; r < row0 + rows; r++) {
    const base = panels + (paired ? (usize(r >> 1) << 4) + (r & 1) : usize(r) << log) * sizeof<T>()
    const step = usize(paired ? 2 : 1) * sizeof<T>()
    for (let j: u32 = 0; j < n; j++, out++) {
      store<u8>(out, load<u8>(base + usize(j >> log) * panelBytes + usize(j & low) * step + q) ^ flip)
    }
  }
}

/** Rows row0.. of byte plane q of a matrix at rest (panels.ts), row major, to `out`. `width` is 1, 2, 4 or 8. */
export function gatherPlane(
  panels: usize,
  width: u32,
  q: u32,
  row0: u32,
  rows: u32,
  k: u32,
  n: u32,
  out: usize,
): void {
  if (width == 1) gather<i8>(panels, q, row0, rows, k, n, out)
  else if (width == 2) gather<i16>(panels, q, row0, rows, k, n, out)
  else if (width == 4) gather<i32>(panels, q, row0, rows, k, n, out)
  else gather<i64>(panels, q, row0, rows, k, n, out)
}
