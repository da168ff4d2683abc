// Bit packing: element i occupies bits [i*bits, (i+1)*bits), little-endian.

/** Packs `count` u64 values; writes whole 8-byte words, so `out` needs 8 spare bytes. */
export function pack(values: usize, count: u32, bits: u32, out: usize): void {
  const mask: u64 = u64(-1) >> (64 - bits)
  let word: u64 = 0
  let fill: u32 = 0
  for (let end = values + (usize(count) << 3); values < end; values += 8) {
    const v = load<u64>(values) & mask
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

/** Unpacks `count` values to u64; reads up to 16 bytes past the last one, so `bytes` needs spare room. */
export function unpack(bytes: usize, bits: u32, count: u32, out: usize): void {
  const mask: u64 = u64(-1) >> (64 - bits)
  let at: u64 = 0
  const end = out + (usize(count) << 3)
  if (bits <= 57) {
    for (; out < end; out += 8, at += bits) {
      store<u64>(out, (load<u64>(bytes + usize(at >> 3)) >> (at & 7)) & mask)
    }
    return
  }
  for (; out < end; out += 8, at += bits) {
    const from = bytes + usize(at >> 3)
    const shift = at & 7
    // the ninth byte, moved up in two steps because 64 - 0 would wrap to a shift by 0
    const high = (u64(load<u8>(from, 8)) << (63 - shift)) << 1
    store<u64>(out, ((load<u64>(from) >> shift) | high) & mask)
  }
}

/** Packs values of 8, 16 or 32 bits: a narrowing copy. `log` is 0, 1 or 2. */
export function packAligned(values: usize, count: u32, log: u32, out: usize): void {
  const end = values + (usize(count) << 3)
  if (log == 0) for (; values < end; values += 8, out += 1) store<u8>(out, load<u8>(values))
  else if (log == 1) for (; values < end; values += 8, out += 2) store<u16>(out, load<u16>(values))
  else for (; values < end; values += 8, out += 4) store<u32>(out, load<u32>(values))
}

/** Unpacks values of 8, 16 or 32 bits: a widening copy. */
export function unpackAligned(bytes: usize, log: u32, count: u32, out: usize): void {
  const end = out + (usize(count) << 3)
  if (log == 0) for (; out < end; out += 8, bytes += 1) store<u64>(out, load<u8>(bytes))
  else if (log == 1) for (; out < end; out += 8, bytes += 2) store<u64>(out, load<u16>(bytes))
  else for (; out < end; out += 8, bytes += 4) store<u64>(out, load<u32>(bytes))
}
