// The dealer's correction: values less keystream words, packed as bits.ts packs.

// @ts-ignore: decorator
@inline
function difference<T>(values: usize, words: usize, count: u32, bits: u32, out: usize): void {
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
  else difference<u64>(values, words, count, bits, out)
}
