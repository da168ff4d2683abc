// The two contractions of attention, all heads in one call, on rows as they lie: mod 2^64, added to what `out` holds.
// Row r sees `seen + r * step` positions. Two rows by two positions (or columns) at a time: one multiplication a cycle is
// what bounds a product of 64-bit lanes, so four operands in registers are enough.

/** out[pair] += q[row] . k[position] for every row, position that it sees, and head. */
export function contractScores(
  q: usize, k: usize, out: usize, rows: u32, seen: u32, step: u32, heads: u32, kvHeads: u32, dim: u32,
): void {
  const width = usize(heads * dim) << 3
  const stride = usize(kvHeads * dim) << 3
  const pair = usize(heads) << 3
  for (let r: u32 = 0; r < rows; r += 2) {
    const first = seen + r * step
    const second = r + 1 < rows ? first + step : 0
    const next = out + usize(first) * pair
    const both = min(first, second) & ~1
    for (let head: u32 = 0; head < heads; head++) {
      const a = q + r * width + (usize(head * dim) << 3)
      const from = k + (usize((head * kvHeads) / heads * dim) << 3)
      const to = usize(head) << 3
      for (let j: u32 = 0; j < both; j += 2) {
        const b = from + j * stride
        let s: u64 = 0, t: u64 = 0, u: u64 = 0, v: u64 = 0
        for (let i: usize = 0; i < (usize(dim) << 3); i += 8) {
          const x = load<u64>(a + i), y = load<u64>(a + width + i)
          const e = load<u64>(b + i), f = load<u64>(b + stride + i)
          s += x * e
          t += x * f
          u += y * e
          v += y * f
        }
        add(out + j * pair + to, s)
        add(out + (j + 1) * pair + to, t)
        add(next + j * pair + to, u)
        add(next + (j + 1) * pair + to, v)
      }
      for (let j = both; j < first; j++) add(out + j * pair + to, dot(a, from + j * stride, dim))
      for (let j = both; j < second; j++) add(next + j * pair + to, dot(a + width, from + j * stride, dim))
    }
    out = next + usize(second) * pair
  }
}

/** out[row] += p[pair] v[position], summed over the positions that the row sees; reads 8 bytes past an odd head's end. */
export function contractMix(
  p: usize, v: usize, out: usize, rows: u32, seen: u32, step: u32, heads: u32, kvHeads: u32, dim: u32,
): void {
  const width = usize(heads * dim) << 3
  const stride = usize(kvHeads * dim) << 3
  const pair = usize(heads) << 3
  for (let r: u32 = 0; r < rows; r += 2) {
    const first = seen + r * step
    const second = r + 1 < rows ? first + step : 0
    const next = p + usize(first) * pair
    const both = min(first, second)
    for (let head: u32 = 0; head < heads; head++) {
      const from = v + (usize((head * kvHeads) / heads * dim) << 3)
      const a = usize(head) << 3
      for (let i: usize = 0; i < (usize(dim) << 3); i += 16) {
        const to = out + r * width + (usize(head * dim) << 3) + i
        let s: u64 = 0, t: u64 = 0, u: u64 = 0, w: u64 = 0
        let x = p + a, y = next + a, b = from + i
        for (let j: u32 = 0; j < both; j++, x += pair, y += pair, b += stride) {
          const e = load<u64>(b), f = load<u64>(b, 8)
          const g = load<u64>(x), h = load<u64>(y)
          s += g * e
          t += g * f
          u += h * e
          w += h * f
        }
        for (let j = both; j < first; j++) {
          const g = load<u64>(p + a + j * pair)
          s += g * load<u64>(from + j * stride + i)
          t += g * load<u64>(from + j * stride + i, 8)
        }
        for (let j = both; j < second; j++) {
          const h = load<u64>(next + a + j * pair)
          u += h * load<u64>(from + j * stride + i)
          w += h * load<u64>(from + j * stride + i, 8)
        }
        const isPair = i + 8 < usize(dim) << 3
        add(to, s)
        if (isPair) add(to + 8, t)
        if (second > 0) {
          add(to + width, u)
          if (isPair) add(to + width + 8, w)
        }
      }
    }
    p = next + usize(second) * pair
  }
}

// @ts-ignore: decorator
@inline
function add(at: usize, x: u64): void {
  store<u64>(at, load<u64>(at) + x)
}

function dot(a: usize, b: usize, n: u32): u64 {
  let sum: u64 = 0
  for (const end = a + (usize(n) << 3); a < end; a += 8, b += 8) sum += load<u64>(a) * load<u64>(b)
  return sum
}
