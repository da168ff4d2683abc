// Rows of kept tables, rotated to where masks put them.
import { eights } from './difference'

// Widens i32 values to i64, two at a time: may read 4 and write 8 bytes too many. Returns where it would go on.
// @ts-ignore: decorator
@inline
function widen(from: usize, end: usize, out: usize): usize {
  const next = out + ((end - from) << 1)
  for (; from < end; from += 8, out += 16) v128.store(out, v128.load32x2_s(from))
  return next
}

/**
 * For each of `count` u32 masks row (mask mod 2^shift) of `rows`, `per` values of each `stride`, from its value
 * (mask >> shift) * words on, and then what comes before that; as 64-bit values. The rows hold i32 values where `narrow`
 * is 1, with 4 spare bytes behind them, else 64-bit ones; `out` needs 8 spare bytes.
 */
export function rotated(
  rows: usize,
  narrow: u32,
  stride: u32,
  per: u32,
  words: u32,
  shift: u32,
  masks: usize,
  count: u32,
  out: usize,
): void {
  const low: u32 = (1 << shift) - 1
  const log: usize = narrow ? 2 : 3
  const bytes = usize(per) << log
  for (let end = masks + (usize(count) << 2); masks < end; masks += 4) {
    const mask = load<u32>(masks)
    const row = rows + ((usize(mask & low) * usize(stride)) << log)
    const cut = row + ((usize(mask >> shift) * usize(words)) << log)
    if (narrow) {
      out = widen(row, cut, widen(cut, row + bytes, out))
    } else {
      memory.copy(out, cut, row + bytes - cut)
      memory.copy(out + (row + bytes - cut), row, cut - row)
      out += bytes
    }
  }
}

// Eight values less words, of less than a byte each: they fill a word.
// @ts-ignore: decorator
@inline
function few<T>(values: usize, words: usize, groups: u32, bits: u32, out: usize): void {
  const mask: u64 = (1 << bits) - 1
  for (let g: u32 = 0; g < groups; g++, values += 32, words += 8 * sizeof<T>(), out += bits) {
    let word: u64 = 0
    for (let i: u64 = 0; i < 8; i++)
      word |= ((u64(load<i32>(values + usize(i << 2))) - u64(load<T>(words + usize(i) * sizeof<T>()))) & mask) << (i * bits)
    store<u64>(out, word)
  }
}

// @ts-ignore: decorator
@inline
function packed<T>(
  rows: usize, per: u32, words: u32, shift: u32, masks: usize, count: u32, keystream: usize, bits: u32, out: usize,
): void {
  const low: u32 = (1 << shift) - 1
  const groups = per >> 3
  for (let end = masks + (usize(count) << 2); masks < end; masks += 4) {
    const mask = load<u32>(masks)
    const values = rows + ((usize(mask & low) * 2 * per + usize(mask >> shift) * words) << 2)
    if (sizeof<T>() == 4 && bits == 32) {
      for (let i: usize = 0; i < usize(per) << 2; i += 16)
        v128.store(out + i, i32x4.sub(v128.load(values + i), v128.load(keystream + i)))
    } else if (bits < 8) few<T>(values, keystream, groups, bits, out)
    else eights<i32, T>(values, keystream, groups, bits, out)
    keystream += usize(per) * sizeof<T>()
    out += usize(groups) * bits
  }
}

/**
 * For each of `count` u32 masks row (mask mod 2^shift) of `rows`, `per` values of 32 bits each, a multiple of eight, and once
 * more behind themselves, from value (mask >> shift) * words on, less keystream words of `width` bytes, packed in `bits` bits,
 * 32 at most. Writes whole 8-byte words.
 */
export function packRotated(
  rows: usize, per: u32, words: u32, shift: u32, masks: usize, count: u32, keystream: usize, width: u32, bits: u32, out: usize,
): void {
  if (width == 1) packed<u8>(rows, per, words, shift, masks, count, keystream, bits, out)
  else if (width == 2) packed<u16>(rows, per, words, shift, masks, count, keystream, bits, out)
  else if (width == 4) packed<u32>(rows, per, words, shift, masks, count, keystream, bits, out)
  else packed<u64>(rows, per, words, shift, masks, count, keystream, bits, out)
}
