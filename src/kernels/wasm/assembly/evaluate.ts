// Straight-line programs over lanes (laid out by ../layout.ts): every instruction runs over a tile of lanes that stays in the
// first-level cache before the next one does. Buffers have room for what a loop reads or writes past its end.

/** Lanes of a tile. Whole tiles take whole 8-byte words when packed, at any width. */
const TILE: u32 = 256
/** Bytes of an instruction: op, three addresses, each with its step a tile, and a 64-bit constant. */
const SIZE: usize = 40

function add(dst: usize, a: usize, b: usize, n: u32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16, b += 16)
    v128.store(dst, i64x2.add(v128.load(a), v128.load(b)))
}

function sub(dst: usize, a: usize, b: usize, n: u32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16, b += 16)
    v128.store(dst, i64x2.sub(v128.load(a), v128.load(b)))
}

// One multiplication a lane: i64x2.mul is taken apart into three.
function mul(dst: usize, a: usize, b: usize, n: u32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16, b += 16) {
    store<u64>(dst, load<u64>(a) * load<u64>(b))
    store<u64>(dst, load<u64>(a, 8) * load<u64>(b, 8), 8)
  }
}

function plus(dst: usize, a: usize, n: u32, constant: u64): void {
  const c = i64x2.splat(constant)
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16)
    v128.store(dst, i64x2.add(v128.load(a), c))
}

function from(dst: usize, a: usize, n: u32, constant: u64): void {
  const c = i64x2.splat(constant)
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16)
    v128.store(dst, i64x2.sub(c, v128.load(a)))
}

function times(dst: usize, a: usize, n: u32, constant: u64): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16) {
    store<u64>(dst, load<u64>(a) * constant)
    store<u64>(dst, load<u64>(a, 8) * constant, 8)
  }
}

function and(dst: usize, a: usize, n: u32, constant: u64): void {
  const c = i64x2.splat(constant)
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16)
    v128.store(dst, v128.and(v128.load(a), c))
}

function shl(dst: usize, a: usize, n: u32, by: i32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16)
    v128.store(dst, i64x2.shl(v128.load(a), by))
}

function shr(dst: usize, a: usize, n: u32, by: i32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 16)
    v128.store(dst, i64x2.shr_u(v128.load(a), by))
}

// @ts-ignore: decorator
@inline
function widen<T>(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 8, a += sizeof<T>()) store<u64>(dst, u64(load<T>(a)))
}

/** Packed values of `bits` bits to lanes; reads up to 16 bytes past the last one. */
function unpack(dst: usize, a: usize, n: u32, bits: u32): void {
  if (bits == 8) return widen<u8>(dst, a, n)
  if (bits == 16) return widen<u16>(dst, a, n)
  const end = dst + (usize(n) << 3)
  if (bits == 32) {
    for (; dst < end; dst += 16, a += 8) v128.store(dst, v128.load32x2_u(a))
    return
  }
  const mask: u64 = u64(-1) >> (64 - bits)
  let at: u32 = 0
  if (bits <= 57) {
    for (; dst < end; dst += 8, at += bits)
      store<u64>(dst, (load<u64>(a + usize(at >> 3)) >> u64(at & 7)) & mask)
    return
  }
  for (; dst < end; dst += 8, at += bits) {
    const word = a + usize(at >> 3)
    const shift = u64(at & 7)
    // the ninth byte, moved up in two steps because 64 - 0 would wrap to a shift by 0
    const high = (u64(load<u8>(word, 8)) << (63 - shift)) << 1
    store<u64>(dst, ((load<u64>(word) >> shift) | high) & mask)
  }
}

/** Lanes to packed values of `bits` bits; writes whole 8-byte words. */
function pack(dst: usize, a: usize, n: u32, bits: u32): void {
  const mask: u64 = u64(-1) >> (64 - bits)
  let word: u64 = 0
  let fill: u32 = 0
  for (const end = a + (usize(n) << 3); a < end; a += 8) {
    const v = load<u64>(a) & mask
    word |= v << fill
    fill += bits
    if (fill >= 64) {
      store<u64>(dst, word)
      dst += 8
      fill -= 64
      // bits - fill is the part of v already stored; a shift by 64 would be a shift by 0 in WebAssembly
      word = fill == 0 ? 0 : v >> (bits - fill)
    }
  }
  if (fill > 0) store<u64>(dst, word)
}

/** Lane i becomes a[floor((skip + i) / run)]. */
function spread(dst: usize, a: usize, n: u32, skip: u32, run: u32): void {
  a += usize(skip / run) << 3
  let left = run - (skip % run)
  for (let i: u32 = 0; i < n; ) {
    const x = load<u64>(a)
    const stop = min(n, i + left)
    for (; i < stop; i++, dst += 8) store<u64>(dst, x)
    a += 8
    left = run
  }
}

/** Adds lane i to dst[floor((skip + i) / run)]. */
function gather(dst: usize, a: usize, n: u32, skip: u32, run: u32): void {
  dst += usize(skip / run) << 3
  let left = run - (skip % run)
  for (let i: u32 = 0; i < n; ) {
    let sum = load<u64>(dst)
    const stop = min(n, i + left)
    for (; i < stop; i++, a += 8) sum += load<u64>(a)
    store<u64>(dst, sum)
    dst += 8
    left = run
  }
}

/**
 * Runs the instructions code..end over `count` lanes, the first of which is number `phase` of its runs. Addresses in
 * instructions count from `base`.
 */
export function evaluate(code: usize, end: usize, base: usize, count: u32, phase: u32): void {
  for (let first: u32 = 0, tile: usize = 0; first < count; first += TILE, tile++) {
    const n = min(TILE, count - first)
    for (let at = code; at < end; at += SIZE) {
      const dst = base + load<u32>(at, 4) + tile * load<u32>(at, 8)
      const a = base + load<u32>(at, 12) + tile * load<u32>(at, 16)
      const b = base + load<u32>(at, 20) + tile * load<u32>(at, 24)
      const constant = load<u64>(at, 32)
      switch (load<u32>(at)) {
        case 0: add(dst, a, b, n); break
        case 1: sub(dst, a, b, n); break
        case 2: mul(dst, a, b, n); break
        case 3: plus(dst, a, n, constant); break
        case 4: from(dst, a, n, constant); break
        case 5: and(dst, a, n, constant); break
        case 6: shl(dst, a, n, i32(constant)); break
        case 7: shr(dst, a, n, i32(constant)); break
        case 8: unpack(dst, a, n, u32(constant)); break
        case 9: pack(dst, a, n, u32(constant)); break
        case 10: spread(dst, a, n, phase % u32(constant) + first, u32(constant)); break
        case 12: times(dst, a, n, constant); break
        case 11: gather(dst, a, n, phase % u32(constant) + first, u32(constant)); break
      }
    }
  }
}
