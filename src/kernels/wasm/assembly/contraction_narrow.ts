// The two contractions of attention in lanes of 16 and 32 bits, mod 2^16 and 2^32, one head at a time. Operands lie head
// after head and row after row, a row's columns padded with zeros to whole pairs of vectors: loops read memory front to back, and
// rows of a power of two do not push each other out of the cache. Four rows by two vectors, or two rows by four positions,
// make eight sums at a time: as many as fit the registers.

// @ts-ignore: decorator
@inline
function splat<T>(at: usize): v128 {
  return sizeof<T>() == 2 ? v128.load16_splat(at) : v128.load32_splat(at)
}

/** `rows` rows of heads * dim lanes of type S at `from` -> head after head at `to`, rows of `padded` lanes of type T. */
// @ts-ignore: decorator
@inline
function gather<S, T>(from: usize, rows: u32, heads: u32, dim: u32, padded: u32, to: usize): void {
  const row = usize(heads * dim) * sizeof<S>()
  for (let head: u32 = 0; head < heads; head++) {
    let at = from + usize(head * dim) * sizeof<S>()
    for (let r: u32 = 0; r < rows; r++, at += row, to += usize(padded) * sizeof<T>()) {
      let i: u32 = 0
      for (; i < dim; i++) store<T>(to + usize(i) * sizeof<T>(), <T>load<S>(at + usize(i) * sizeof<S>()))
      for (; i < padded; i++) store<T>(to + usize(i) * sizeof<T>(), 0)
    }
  }
}

/** `from` and `lanes` are bits of a lane, 16, 32 or 64, and 16 or 32: narrower lanes widen with zeros. */
export function gatherHeads(
  at: usize, from: u32, lanes: u32, rows: u32, heads: u32, dim: u32, padded: u32, to: usize,
): void {
  if (lanes == 32) {
    if (from == 64) gather<u64, u32>(at, rows, heads, dim, padded, to)
    else if (from == 32) gather<u32, u32>(at, rows, heads, dim, padded, to)
    else gather<u16, u32>(at, rows, heads, dim, padded, to)
  } else if (from == 64) gather<u64, u16>(at, rows, heads, dim, padded, to)
  else if (from == 32) gather<u32, u16>(at, rows, heads, dim, padded, to)
  else gather<u16, u16>(at, rows, heads, dim, padded, to)
}

// @ts-ignore: decorator
@inline
function scatter<T>(at: usize, rows: u32, heads: u32, dim: u32, padded: u32, to: usize): void {
  const row = usize(heads * dim) * sizeof<T>()
  for (let head: u32 = 0; head < heads; head++) {
    let out = to + usize(head * dim) * sizeof<T>()
    for (let r: u32 = 0; r < rows; r++, out += row, at += usize(padded) * sizeof<T>())
      for (let i: usize = 0; i < usize(dim) * sizeof<T>(); i += sizeof<T>()) store<T>(out + i, load<T>(at + i))
  }
}

/** Undoes `gatherHeads`, in lanes of one width. */
export function scatterHeads(
  at: usize, lanes: u32, rows: u32, heads: u32, dim: u32, padded: u32, to: usize,
): void {
  if (lanes == 32) scatter<u32>(at, rows, heads, dim, padded, to)
  else scatter<u16>(at, rows, heads, dim, padded, to)
}

// Lanes times lanes, added to sums of 32 bits. Of 16-bit lanes, signed or not, the low 16 bits of those are right.
// @ts-ignore: decorator
@inline
function into<T>(sum: v128, x: v128, y: v128): v128 {
  return i32x4.add(sum, sizeof<T>() == 2 ? i32x4.dot_i16x8_s(x, y) : i32x4.mul(x, y))
}

// The four sums of the lanes of each.
// @ts-ignore: decorator
@inline
function totals(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7))
  const cd = i32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7))
  return i32x4.add(i32x4.shuffle(ab, cd, 0, 1, 4, 5), i32x4.shuffle(ab, cd, 2, 3, 6, 7))
}

// @ts-ignore: decorator
@inline
function addFour<T>(at: usize, x: v128): void {
  if (sizeof<T>() == 4) v128.store(at, i32x4.add(v128.load(at), x))
  else {
    const low = i16x8.shuffle(x, x, 0, 2, 4, 6, 0, 2, 4, 6)
    v128.store64_lane(at, i16x8.add(v128.load64_zero(at), low), 0)
  }
}

function dot<T>(a: usize, b: usize, bytes: usize): T {
  let sum = i32x4.splat(0)
  for (const end = a + bytes; a < end; a += 16, b += 16) sum = into<T>(sum, v128.load(a), v128.load(b))
  return <T>i32x4.extract_lane(totals(sum, sum, sum, sum), 0)
}

function scores<T>(q: usize, k: usize, out: usize, rows: u32, seen: u32, step: u32, bytes: usize): void {
  for (let r: u32 = 0; r < rows; r += 2, q += 2 * bytes) {
    const first = seen + r * step
    const second = r + 1 < rows ? first + step : 0
    const next = out + usize(first) * sizeof<T>()
    const both = min(first, second) & ~3
    let b = k
    for (let j: usize = 0; j < usize(both) * sizeof<T>(); j += 4 * sizeof<T>(), b += 4 * bytes) {
      let s = i32x4.splat(0), t = s, u = s, v = s, s1 = s, t1 = s, u1 = s, v1 = s
      for (let i: usize = 0; i < bytes; i += 16) {
        const x = v128.load(q + i), y = v128.load(q + bytes + i)
        const e = v128.load(b + i), f = v128.load(b + bytes + i)
        const g = v128.load(b + 2 * bytes + i), h = v128.load(b + 3 * bytes + i)
        s = into<T>(s, x, e)
        t = into<T>(t, x, f)
        u = into<T>(u, x, g)
        v = into<T>(v, x, h)
        s1 = into<T>(s1, y, e)
        t1 = into<T>(t1, y, f)
        u1 = into<T>(u1, y, g)
        v1 = into<T>(v1, y, h)
      }
      addFour<T>(out + j, totals(s, t, u, v))
      addFour<T>(next + j, totals(s1, t1, u1, v1))
    }
    for (let j = both; j < first; j++) {
      const at = out + usize(j) * sizeof<T>()
      store<T>(at, load<T>(at) + dot<T>(q, k + j * bytes, bytes))
    }
    for (let j = both; j < second; j++) {
      const at = next + usize(j) * sizeof<T>()
      store<T>(at, load<T>(at) + dot<T>(q + bytes, k + j * bytes, bytes))
    }
    out = next + usize(second) * sizeof<T>()
  }
}

/** One head's scores: out[pair] += q[row] . k[position]. `bytes` of a padded row; lanes of 16 or 32 bits. */
export function narrowScores(
  lanes: u32, q: usize, k: usize, out: usize, rows: u32, seen: u32, step: u32, bytes: usize,
): void {
  if (lanes == 32) scores<u32>(q, k, out, rows, seen, step, bytes)
  else scores<u16>(q, k, out, rows, seen, step, bytes)
}

// @ts-ignore: decorator
@inline
function addTo<T>(at: usize, x: v128): void {
  v128.store(at, v128.add<T>(v128.load(at), x))
}

/** One row: out += the sum of p[j] v[j], n positions. */
function mixRow<T>(p: usize, v: usize, n: u32, out: usize, bytes: usize): void {
  const end = p + usize(n) * sizeof<T>()
  let i: usize = 0
  for (; i + 64 <= bytes; i += 64) {
    let s = v128.splat<T>(0), t = s, u = s, w = s
    for (let x = p, b = v + i; x < end; x += sizeof<T>(), b += bytes) {
      const e = splat<T>(x)
      s = v128.add<T>(s, v128.mul<T>(e, v128.load(b)))
      t = v128.add<T>(t, v128.mul<T>(e, v128.load(b, 16)))
      u = v128.add<T>(u, v128.mul<T>(e, v128.load(b, 32)))
      w = v128.add<T>(w, v128.mul<T>(e, v128.load(b, 48)))
    }
    addTo<T>(out + i, s)
    addTo<T>(out + i + 16, t)
    addTo<T>(out + i + 32, u)
    addTo<T>(out + i + 48, w)
  }
  for (; i < bytes; i += 16) {
    let s = v128.splat<T>(0)
    for (let x = p, b = v + i; x < end; x += sizeof<T>(), b += bytes)
      s = v128.add<T>(s, v128.mul<T>(splat<T>(x), v128.load(b)))
    addTo<T>(out + i, s)
  }
}

/** Four rows by an even number of vectors, n positions: their weights begin at p, q, r and s. */
function mixRows<T>(p: usize, q: usize, r: usize, s: usize, v: usize, n: u32, out: usize, bytes: usize): void {
  const size = usize(n) * sizeof<T>()
  for (let i: usize = 0; i < bytes; i += 32) {
    let p0 = v128.splat<T>(0), p1 = p0, q0 = p0, q1 = p0, r0 = p0, r1 = p0, s0 = p0, s1 = p0
    let b = v + i
    for (let j: usize = 0; j < size; j += sizeof<T>(), b += bytes) {
      const e = v128.load(b), f = v128.load(b, 16)
      let x = splat<T>(p + j)
      p0 = v128.add<T>(p0, v128.mul<T>(x, e))
      p1 = v128.add<T>(p1, v128.mul<T>(x, f))
      x = splat<T>(q + j)
      q0 = v128.add<T>(q0, v128.mul<T>(x, e))
      q1 = v128.add<T>(q1, v128.mul<T>(x, f))
      x = splat<T>(r + j)
      r0 = v128.add<T>(r0, v128.mul<T>(x, e))
      r1 = v128.add<T>(r1, v128.mul<T>(x, f))
      x = splat<T>(s + j)
      s0 = v128.add<T>(s0, v128.mul<T>(x, e))
      s1 = v128.add<T>(s1, v128.mul<T>(x, f))
    }
    addTo<T>(out + i, p0)
    addTo<T>(out + i + 16, p1)
    addTo<T>(out + bytes + i, q0)
    addTo<T>(out + bytes + i + 16, q1)
    addTo<T>(out + 2 * bytes + i, r0)
    addTo<T>(out + 2 * bytes + i + 16, r1)
    addTo<T>(out + 3 * bytes + i, s0)
    addTo<T>(out + 3 * bytes + i + 16, s1)
  }
}

function mix<T>(p: usize, v: usize, out: usize, rows: u32, seen: u32, step: u32, bytes: usize): void {
  let r: u32 = 0
  for (; r + 4 <= rows; r += 4, out += 4 * bytes) {
    const first = seen + r * step
    const q = p + usize(first) * sizeof<T>()
    const s = q + usize(first + step) * sizeof<T>()
    const t = s + usize(first + 2 * step) * sizeof<T>()
    mixRows<T>(p, q, s, t, v, first, out, bytes)
    if (step > 0) {
      // what the later rows see besides
      const rest = v + first * bytes
      const done = usize(first) * sizeof<T>()
      mixRow<T>(q + done, rest, 1, out + bytes, bytes)
      mixRow<T>(s + done, rest, 2, out + 2 * bytes, bytes)
      mixRow<T>(t + done, rest, 3, out + 3 * bytes, bytes)
    }
    p = t + usize(first + 3 * step) * sizeof<T>()
  }
  for (; r < rows; r++, out += bytes) {
    const first = seen + r * step
    mixRow<T>(p, v, first, out, bytes)
    p += usize(first) * sizeof<T>()
  }
}

/** One head's mix: out[row] += the sum of p[pair] v[position] over the positions that the row sees. */
export function narrowMix(
  lanes: u32, p: usize, v: usize, out: usize, rows: u32, seen: u32, step: u32, bytes: usize,
): void {
  if (lanes == 32) mix<u32>(p, v, out, rows, seen, step, bytes)
  else mix<u16>(p, v, out, rows, seen, step, bytes)
}
