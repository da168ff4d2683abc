// Polynomials in Chebyshev's basis, with shared coefficients and public arguments.
import { round } from './round'

/** Added to integers within +-2^51 it leaves their two's complement in the mantissa: 1.5 * 2^52. */
const MANTISSA: f64 = 6755399441055744.0

/**
 * For each of `count` points `groups` sums over k < n of a coefficient times round(T_k(2 delta - 1) scale), mod 2^64;
 * delta is what the point's low `shift` bits make of 2^shift. A point has `stride` words of coefficients, the groups' n
 * words first. `basis` has room for 2n words; it holds those of two points at a time, side by side. Scale is at most 2^50.
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
  const bytes = usize(n) << 4
  const one = f64x2.splat(1)
  const magic = f64x2.splat(MANTISSA)
  const factor = f64x2.splat(scale)
  for (let i: u32 = 0; i < count; i += 2) {
    // The last point of an odd number stands beside itself.
    const pair: u32 = i + 1 < count ? 2 : 1
    const first = f64(i64(load<u64>(points) & mask))
    const second = f64(i64(load<u64>(points + ((pair - 1) << 3)) & mask))
    points += usize(pair) << 3
    const delta = f64x2.mul(f64x2.replace_lane(f64x2.splat(first), 1, second), f64x2.splat(unit))
    const x = f64x2.sub(f64x2.add(delta, delta), one)
    const twice = f64x2.add(x, x)
    let previous = one
    let current = x
    let t = one
    for (let k: usize = 0; k < bytes; k += 16) {
      const rounded = round(f64x2.mul(t, factor))
      v128.store(basis + k, i64x2.sub(f64x2.add(rounded, magic), magic))
      t = current
      const next = f64x2.sub(f64x2.mul(twice, current), previous)
      previous = current
      current = next
    }
    for (let end = basis + (usize(pair) << 3), own = basis; own < end; own += 8) {
      let from = words
      for (let g: u32 = 0; g < groups; g++, out += 8) {
        let sum: u64 = 0
        for (let k: usize = 0; k < bytes; k += 16, from += 8) sum += load<u64>(from) * load<u64>(own + k)
        store<u64>(out, sum)
      }
      words += usize(stride) << 3
    }
  }
}
