// Left operands in the form the products read them: one 32-bit word per splat.

/**
 * Row of k u64 -> per pair of elements, `limbs` words; word i holds signed 16-bit limb i of both elements, where
 * a = l0 + l1 2^16 + l2 2^32 + l3 2^48 mod 2^64. An odd k is padded with a zero element.
 */
export function splitPairs(a: usize, k: u32, limbs: u32, out: usize): void {
  for (let i: u32 = 0; i < k; i += 2, a += 16) {
    let x = load<i64>(a)
    let y: i64 = i + 1 < k ? load<i64>(a, 8) : 0
    for (let l: u32 = 0; l < limbs; l++, out += 4) {
      store<i16>(out, i16(x))
      store<i16>(out, i16(y), 2)
      // taking the limb as signed leaves a carry for the next one
      x = (x - i64(i16(x))) >> 16
      y = (y - i64(i16(y))) >> 16
    }
  }
}

/** Row of k u64 -> k signed low words followed by their high words, interleaved: a = lo + hi 2^32 mod 2^64. */
export function splitWords(a: usize, k: u32, out: usize): void {
  for (let end = a + (usize(k) << 3); a < end; a += 8, out += 8) {
    const x = load<i64>(a)
    store<i32>(out, i32(x))
    store<i32>(out, i32((x - i64(i32(x))) >> 32), 4)
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
