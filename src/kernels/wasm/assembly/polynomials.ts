// Polynomials in Chebyshev's basis, with shared coefficients and public arguments.

// JavaScript's Math.round: halves go up. x less its floor is exact where that matters.
// @ts-ignore: decorator
@inline
function round(x: f64): f64 {
  const low = Math.floor(x)
  return x - low >= 0.5 ? low + 1 : low
}

/**
 * For each of `count` points `groups` sums over k < n of a coefficient times round(T_k(2 delta - 1) scale), mod 2^64;
 * delta is what the point's low `shift` bits make of 2^shift. A point has `stride` words of coefficients, the groups' n
 * words first. `basis` has room for n words.
 */
export function polynomials(
  points: usize,
  count: u32,
  shift: u32,
  scale: f64,
  words: usize,
  stride: u32,
  n: u32,
  groups: u32,
  basis: usize,
  out: usize,
): void {
  const mask: u64 = (u64(1) << shift) - 1
  const unit: f64 = 1.0 / f64(u64(1) << shift)
  const bytes = usize(n) << 3
  for (let i: u32 = 0; i < count; i++, points += 8, words += usize(stride) << 3) {
    const x = 2.0 * (f64(load<u64>(points) & mask) * unit) - 1.0
    let previous: f64 = 1.0
    let current = x
    store<i64>(basis, i64(round(scale)))
    for (let k = usize(8); k < bytes; k += 8) {
      store<i64>(basis + k, i64(round(current * scale)))
      const next = 2.0 * x * current - previous
      previous = current
      current = next
    }
    let from = words
    for (let g: u32 = 0; g < groups; g++, out += 8) {
      let sum: u64 = 0
      for (let k = usize(0); k < bytes; k += 8, from += 8) sum += load<u64>(from) * load<u64>(basis + k)
      store<u64>(out, sum)
    }
  }
}
