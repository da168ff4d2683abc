// Rows of kept tables, rotated to where masks put them.

// Widens i32 values to i64, two at a time: may read 4 and write 8 bytes too many. Returns where it would go on.
// @ts-ignore: decorator
@inline
function widen(from: usize, end: usize, out: usize): usize {
  const next = out + ((end - from) << 1)
  for (; from < end; from += 8, out += 16) v128.store(out, v128.load32x2_s(from))
  return next
}

/**
 * For each of `count` u32 masks row (mask mod 2^shift) of `rows`, `per` values each, from its value
 * (mask >> shift) * words on, and then what comes before that; as 64-bit values. The rows hold i32 values where `narrow`
 * is 1, with 4 spare bytes behind them, else 64-bit ones; `out` needs 8 spare bytes.
 */
export function rotated(
  rows: usize,
  narrow: u32,
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
    const row = rows + usize(mask & low) * bytes
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
