// Rows of words permuted, with signs changed and powers of two added to exponents: no value is rounded here.

// @ts-ignore: decorator
@inline
function exact<W, S>(
  words: usize,
  from: usize,
  sign: usize,
  power: usize,
  rowSign: W,
  rowPower: S,
  n: u32,
  shift: i32,
  exponents: S,
  slow: usize,
  out: usize,
): u32 {
  const flip = v128.splat<W>(rowSign)
  for (let j: usize = 0; j < usize(n); j++) {
    store<W>(out + j * sizeof<W>(), load<W>(words + usize(load<u32>(from + (j << 2))) * sizeof<W>()))
  }
  const step: usize = 16 / sizeof<W>()
  const mask = v128.splat<S>(exponents), none = v128.splat<S>(0), own = v128.splat<S>(rowPower)
  let count: u32 = 0
  for (let j: usize = 0; j < usize(n); j += step) {
    const at = j * sizeof<W>()
    const word = v128.xor(v128.load(out + at), v128.xor(v128.load(sign + at), flip))
    const powers = v128.add<S>(v128.load(power + at), own)
    const exponent = v128.and(v128.shr<W>(word, shift), mask)
    const moved = v128.add<S>(exponent, powers)
    const still = v128.eq<S>(powers, none)
    const normal = v128.and(v128.gt<S>(exponent, none), v128.and(v128.gt<S>(moved, none), v128.lt<S>(moved, mask)))
    const fine = v128.or(still, normal)
    v128.store(out + at, v128.add<S>(word, v128.and(v128.shl<S>(powers, shift), fine)))
    const left = ~v128.bitmask<S>(fine) & ((1 << i32(step)) - 1)
    if (left == 0) continue
    for (let k: usize = 0; k < step && j + k < usize(n); k++) {
      if (((left >> i32(k)) & 1) == 0) continue
      // Zeros have nothing to move.
      if ((load<W>(out + (j + k) * sizeof<W>()) & ~((<W>1) << <W>(sizeof<W>() * 8 - 1))) == 0) continue
      store<u32>(slow + (usize(count) << 2), u32(j + k))
      count++
    }
  }
  return count
}

/**
 * One row of n words: out[j] is word from[j] with sign[j] and the row's changed, and power[j] + rowPower added to its
 * exponent, of `bits` below it. Returns how many have an exponent that does not allow that; their numbers are at `slow`, and
 * they have got no more than their signs. Tables are zero up to the next 16 bytes.
 */
export function exact16(
  words: usize,
  from: usize,
  sign: usize,
  power: usize,
  rowSign: u32,
  rowPower: i32,
  n: u32,
  bits: i32,
  exponents: i32,
  slow: usize,
  out: usize,
): u32 {
  return exact<u16, i16>(words, from, sign, power, u16(rowSign), i16(rowPower), n, bits, i16(exponents), slow, out)
}

/** As above, of F32. */
export function exact32(
  words: usize,
  from: usize,
  sign: usize,
  power: usize,
  rowSign: u32,
  rowPower: i32,
  n: u32,
  bits: i32,
  exponents: i32,
  slow: usize,
  out: usize,
): u32 {
  return exact<u32, i32>(words, from, sign, power, rowSign, rowPower, n, bits, exponents, slow, out)
}
