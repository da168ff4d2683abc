// The dealer's correction: values less keystream words, packed as bits.ts packs.

// Eight values fill whole bytes, so value j of eight always begins at bit (j * bits) % 8 of byte j * bits / 8. The bits
// that the value before it has in that byte are written again with it.
/** Groups of eight values of type V less words of type T, of 8 to 57 bits; writes whole 8-byte words. */
// @ts-ignore: decorator
@inline
export function eights<V, T>(values: usize, words: usize, groups: u32, bits: u32, out: usize): void {
  const mask: u64 = u64(-1) >> (64 - bits)
  const o1 = usize(bits >> 3), o2 = usize((2 * bits) >> 3), o3 = usize((3 * bits) >> 3), o4 = usize((4 * bits) >> 3)
  const o5 = usize((5 * bits) >> 3), o6 = usize((6 * bits) >> 3), o7 = usize((7 * bits) >> 3)
  const s1: u64 = bits & 7, s2: u64 = (2 * bits) & 7, s3: u64 = (3 * bits) & 7, s4: u64 = (4 * bits) & 7
  const s5: u64 = (5 * bits) & 7, s6: u64 = (6 * bits) & 7, s7: u64 = (7 * bits) & 7
  for (let g: u32 = 0; g < groups; g++) {
    const v0 = (u64(load<V>(values)) - u64(load<T>(words))) & mask
    store<u64>(out, v0)
    const v1 = (u64(load<V>(values, sizeof<V>())) - u64(load<T>(words, sizeof<T>()))) & mask
    store<u64>(out + o1, (v1 << s1) | (v0 >> (bits - s1)))
    const v2 = (u64(load<V>(values, 2 * sizeof<V>())) - u64(load<T>(words, 2 * sizeof<T>()))) & mask
    store<u64>(out + o2, (v2 << s2) | (v1 >> (bits - s2)))
    const v3 = (u64(load<V>(values, 3 * sizeof<V>())) - u64(load<T>(words, 3 * sizeof<T>()))) & mask
    store<u64>(out + o3, (v3 << s3) | (v2 >> (bits - s3)))
    const v4 = (u64(load<V>(values, 4 * sizeof<V>())) - u64(load<T>(words, 4 * sizeof<T>()))) & mask
    store<u64>(out + o4, (v4 << s4) | (v3 >> (bits - s4)))
    const v5 = (u64(load<V>(values, 5 * sizeof<V>())) - u64(load<T>(words, 5 * sizeof<T>()))) & mask
    store<u64>(out + o5, (v5 << s5) | (v4 >> (bits - s5)))
    const v6 = (u64(load<V>(values, 6 * sizeof<V>())) - u64(load<T>(words, 6 * sizeof<T>()))) & mask
    store<u64>(out + o6, (v6 << s6) | (v5 >> (bits - s6)))
    const v7 = (u64(load<V>(values, 7 * sizeof<V>())) - u64(load<T>(words, 7 * sizeof<T>()))) & mask
    store<u64>(out + o7, (v7 << s7) | (v6 >> (bits - s7)))
    values += 8 * sizeof<V>()
    words += 8 * sizeof<T>()
    out += bits
  }
}

// @ts-ignore: decorator
@inline
function difference<T>(values: usize, words: usize, count: u32, bits: u32, out: usize): void {
  // A value shifted within its first byte must fit a word, and one shorter than a byte may share it with several.
  if (bits >= 8 && bits <= 57) {
    const groups = count >> 3
    eights<u64, T>(values, words, groups, bits, out)
    values += usize(groups) << 6
    words += usize(groups << 3) * sizeof<T>()
    out += usize(groups) * bits
    count &= 7
  }
  const mask: u64 = u64(-1) >> (64 - bits)
  let word: u64 = 0
  let fill: u32 = 0
  for (let end = values + (usize(count) << 3); values < end; values += 8, words += sizeof<T>()) {
    const v = (load<u64>(values) - u64(load<T>(words))) & mask
    word |= v << fill
    fill += bits
    if (fill >= 64) {
      store<u64>(out, word)
      out += 8
      fill -= 64
      // bits - fill is the part of v already stored; a shift by 64 would be a shift by 0 in WebAssembly
      word = fill == 0 ? 0 : v >> (bits - fill)
    }
  }
  store<u64>(out, word)
}

/** Packs values - words of `width` bytes; writes whole 8-byte words, so `out` needs 8 spare bytes. */
export function packDifference(
  values: usize,
  words: usize,
  width: u32,
  count: u32,
  bits: u32,
  out: usize,
): void {
  if (width == 1) difference<u8>(values, words, count, bits, out)
  else if (width == 2) difference<u16>(values, words, count, bits, out)
  else if (width == 4) difference<u32>(values, words, count, bits, out)
  else if (bits < 64) difference<u64>(values, words, count, bits, out)
  else
    for (let end = values + (usize(count) << 3); values < end; values += 8, words += 8, out += 8)
      store<u64>(out, load<u64>(values) - load<u64>(words))
}
