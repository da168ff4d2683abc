// Left operands in the form the products read them: one 32-bit word per splat.

/**
 * Row of k u64 -> per pair of elements, `limbs` words; word i holds limb i of both elements, signed: the first `narrow` limbs
 * have 12 bits, the others 16, each counting from where the one before ends. An odd k is padded with a zero element.
 */
export function splitPairs(a: usize, k: u32, narrow: u32, limbs: u32, out: usize): void {
  for (let i: u32 = 0; i < k; i += 2, a += 16) {
    let x = load<i64>(a)
    let y: i64 = i + 1 < k ? load<i64>(a, 8) : 0
    for (let l: u32 = 0; l < limbs; l++, out += 4) {
      const width: i64 = l < narrow ? 12 : 16
      const u = (x << (64 - width)) >> (64 - width), v = (y << (64 - width)) >> (64 - width)
      store<i16>(out, i16(u))
      store<i16>(out, i16(v), 2)
      // taking the limb as signed leaves a carry for the next one
      x = (x - u) >> width
      y = (y - v) >> width
    }
  }
}

/**
 * Rows of `stride` u64 at `out` -> rows of n, in place, masked; adds bias * (sum of the row's k elements at `a`)
 * first: the share of a constant that was taken off every element of B so that it fits a signed type.
 */
export function finish(out: usize, m: u32, n: u32, stride: u32, bits: u32, bias: u64, a: usize, k: u32): void {
  const mask: u64 = u64(-1) >> (64 - bits)
  let to = out
  for (let r: u32 = 0; r < m; r++) {
    let extra: u64 = 0
    if (bias != 0) {
      for (let i: u32 = 0; i < k; i++) extra += load<u64>(a + ((usize(r) * k + i) << 3))
      extra *= bias
    }
    let from = out + ((usize(r) * stride) << 3)
    for (let j: u32 = 0; j < n; j++, from += 8, to += 8) store<u64>(to, (load<u64>(from) + extra) & mask)
  }
}
