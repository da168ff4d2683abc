// Linear maps of samples, rounded: coefficients of polynomials from their values.
import { round } from './round'

/**
 * For each of `count` groups of n f64 samples the n sums over j of column j's element k times sample j, added up in that
 * order, times `scale` and rounded, as i64. A column has n elements of `columns`, and one more where n is odd; `out` needs
 * 8 spare bytes.
 */
export function transformed(samples: usize, count: u32, n: u32, columns: usize, scale: f64, out: usize): void {
  const bytes = usize(n) << 3
  const stride = (bytes + 8) & ~15
  for (let end = samples + count * bytes; samples < end; samples += bytes, out += bytes) {
    for (let k: usize = 0; k < bytes; k += 16) {
      let sum = f64x2.splat(0)
      for (let j: usize = 0, column = columns + k; j < bytes; j += 8, column += stride)
        sum = f64x2.add(sum, f64x2.mul(v128.load(column), v128.load64_splat(samples + j)))
      sum = round(f64x2.mul(sum, f64x2.splat(scale)))
      store<i64>(out + k, i64(f64x2.extract_lane(sum, 0)))
      store<i64>(out + k, i64(f64x2.extract_lane(sum, 1)), 8)
    }
  }
}
