// Straight-line programs over lanes (laid out by ../layout.ts): every instruction runs over a tile of lanes that stays in the
// first-level cache before the next one does. Buffers have room for what a loop reads or writes past its end. A program runs
// in lanes of one width, T: 64 bits, or 32 or 16 where no more of any value is needed.

/** Lanes of a tile. Whole tiles take whole 8-byte words when packed, at any width. */
const TILE: u32 = 256
/** Bytes of an instruction: op, three addresses, each with its step a tile, and a 64-bit constant. */
const SIZE: usize = 40

function add<T>(dst: usize, a: usize, b: usize, n: u32): void {
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16, b += 16)
    v128.store(dst, v128.add<T>(v128.load(a), v128.load(b)))
}

function sub<T>(dst: usize, a: usize, b: usize, n: u32): void {
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16, b += 16)
    v128.store(dst, v128.sub<T>(v128.load(a), v128.load(b)))
}

// Of 64 bits one multiplication a lane: i64x2.mul is taken apart into three.
function mul<T>(dst: usize, a: usize, b: usize, n: u32): void {
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16, b += 16) {
    if (sizeof<T>() == 8) {
      store<u64>(dst, load<u64>(a) * load<u64>(b))
      store<u64>(dst, load<u64>(a, 8) * load<u64>(b, 8), 8)
    } else v128.store(dst, v128.mul<T>(v128.load(a), v128.load(b)))
  }
}

function plus<T>(dst: usize, a: usize, n: u32, constant: u64): void {
  const c = v128.splat<T>(<T>constant)
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16)
    v128.store(dst, v128.add<T>(v128.load(a), c))
}

function from<T>(dst: usize, a: usize, n: u32, constant: u64): void {
  const c = v128.splat<T>(<T>constant)
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16)
    v128.store(dst, v128.sub<T>(c, v128.load(a)))
}

function times<T>(dst: usize, a: usize, n: u32, constant: u64): void {
  const c = v128.splat<T>(<T>constant)
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16) {
    if (sizeof<T>() == 8) {
      store<u64>(dst, load<u64>(a) * constant)
      store<u64>(dst, load<u64>(a, 8) * constant, 8)
    } else v128.store(dst, v128.mul<T>(v128.load(a), c))
  }
}

function and<T>(dst: usize, a: usize, n: u32, constant: u64): void {
  const c = v128.splat<T>(<T>constant)
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16)
    v128.store(dst, v128.and(v128.load(a), c))
}

function shl<T>(dst: usize, a: usize, n: u32, by: i32): void {
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16)
    v128.store(dst, v128.shl<T>(v128.load(a), by))
}

function shr<T>(dst: usize, a: usize, n: u32, by: i32): void {
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += 16, a += 16)
    v128.store(dst, v128.shr<T>(v128.load(a), by))
}

// Two vectors' lanes of 64 bits to one's of 32, and of 32 to 16: the low halves.
// @ts-ignore: decorator
@inline
function halved(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 0, 2, 4, 6)
}

// @ts-ignore: decorator
@inline
function quartered(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
}

function narrow64to32(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 2); dst < end; dst += 16, a += 32)
    v128.store(dst, halved(v128.load(a), v128.load(a, 16)))
}

function narrow64to16(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 1); dst < end; dst += 16, a += 64) {
    const low = halved(v128.load(a), v128.load(a, 16)), high = halved(v128.load(a, 32), v128.load(a, 48))
    v128.store(dst, quartered(low, high))
  }
}

function narrow32to16(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 1); dst < end; dst += 16, a += 32)
    v128.store(dst, quartered(v128.load(a), v128.load(a, 16)))
}

function widen32to64(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 16, a += 8) v128.store(dst, v128.load32x2_u(a))
}

function widen16to64(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 3); dst < end; dst += 32, a += 8) {
    const x = v128.load16x4_u(a)
    v128.store(dst, i64x2.extend_low_i32x4_u(x))
    v128.store(dst, i64x2.extend_high_i32x4_u(x), 16)
  }
}

function widen16to32(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 2); dst < end; dst += 16, a += 8) v128.store(dst, v128.load16x4_u(a))
}

function widen8to16(dst: usize, a: usize, n: u32): void {
  for (const end = dst + (usize(n) << 1); dst < end; dst += 16, a += 8) v128.store(dst, v128.load8x8_u(a))
}

// Lanes of type S to lanes of type T, one by one.
// @ts-ignore: decorator
@inline
function convert<S, T>(dst: usize, a: usize, n: u32): void {
  for (const end = dst + usize(n) * sizeof<T>(); dst < end; dst += sizeof<T>(), a += sizeof<S>())
    store<T>(dst, <T>load<S>(a))
}

/** Lanes of `bits` bits, 8, 16, 32 or 64, to the program's. */
function fetch<T>(dst: usize, a: usize, n: u32, bits: u32): void {
  if (sizeof<T>() == 8) {
    if (bits == 32) widen32to64(dst, a, n)
    else if (bits == 16) widen16to64(dst, a, n)
    else convert<u8, u64>(dst, a, n)
  } else if (sizeof<T>() == 4) {
    if (bits == 64) narrow64to32(dst, a, n)
    else if (bits == 16) widen16to32(dst, a, n)
    else convert<u8, u32>(dst, a, n)
  } else if (bits == 64) narrow64to16(dst, a, n)
  else if (bits == 32) narrow32to16(dst, a, n)
  else widen8to16(dst, a, n)
}

/** The program's lanes to lanes of `bits` bits, 8, 16, 32 or 64. */
function put<T>(dst: usize, a: usize, n: u32, bits: u32): void {
  if (sizeof<T>() == 8) {
    if (bits == 32) narrow64to32(dst, a, n)
    else if (bits == 16) narrow64to16(dst, a, n)
    else convert<u64, u8>(dst, a, n)
  } else if (sizeof<T>() == 4) {
    if (bits == 64) widen32to64(dst, a, n)
    else if (bits == 16) narrow32to16(dst, a, n)
    else convert<u32, u8>(dst, a, n)
  } else if (bits == 64) widen16to64(dst, a, n)
  else if (bits == 32) widen16to32(dst, a, n)
  else convert<u16, u8>(dst, a, n)
}

/** Packed values of `bits` bits to lanes; reads up to 16 bytes past the last one. */
function unpack<T>(dst: usize, a: usize, n: u32, bits: u32): void {
  const end = dst + usize(n) * sizeof<T>()
  const mask: u64 = u64(-1) >> (64 - bits)
  let at: u32 = 0
  if (bits <= 57) {
    for (; dst < end; dst += sizeof<T>(), at += bits)
      store<T>(dst, <T>((load<u64>(a + usize(at >> 3)) >> u64(at & 7)) & mask))
    return
  }
  for (; dst < end; dst += sizeof<T>(), at += bits) {
    const word = a + usize(at >> 3)
    const shift = u64(at & 7)
    // the ninth byte, moved up in two steps because 64 - 0 would wrap to a shift by 0
    const high = (u64(load<u8>(word, 8)) << (63 - shift)) << 1
    store<T>(dst, <T>(((load<u64>(word) >> shift) | high) & mask))
  }
}

/** Lanes to packed values of `bits` bits; writes whole 8-byte words. */
function pack<T>(dst: usize, a: usize, n: u32, bits: u32): void {
  const mask: u64 = u64(-1) >> (64 - bits)
  let word: u64 = 0
  let fill: u32 = 0
  for (const end = a + usize(n) * sizeof<T>(); a < end; a += sizeof<T>()) {
    const v = u64(load<T>(a)) & mask
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

/** Lane i becomes a[floor((skip + i) / run)], of 64-bit lanes. */
function spread<T>(dst: usize, a: usize, n: u32, skip: u32, run: u32): void {
  a += usize(skip / run) << 3
  let left = run - (skip % run)
  for (let i: u32 = 0; i < n; ) {
    const x = <T>load<u64>(a)
    const stop = min(n, i + left)
    for (; i < stop; i++, dst += sizeof<T>()) store<T>(dst, x)
    a += 8
    left = run
  }
}

/** Adds lane i to dst[floor((skip + i) / run)], of 64-bit lanes. */
function gather<T>(dst: usize, a: usize, n: u32, skip: u32, run: u32): void {
  dst += usize(skip / run) << 3
  let left = run - (skip % run)
  for (let i: u32 = 0; i < n; ) {
    let sum = load<u64>(dst)
    const stop = min(n, i + left)
    for (; i < stop; i++, a += sizeof<T>()) sum += u64(load<T>(a))
    store<u64>(dst, sum)
    dst += 8
    left = run
  }
}

/** Lanes of 16 or 32 bits to lanes of 64; may read and write 24 bytes too many. */
export function widenLanes(at: usize, bits: u32, count: u32, out: usize): void {
  fetch<u64>(out, at, count, bits)
}

// @ts-ignore: decorator
@inline
function run<T>(code: usize, end: usize, base: usize, count: u32, phase: u32): void {
  for (let first: u32 = 0, tile: usize = 0; first < count; first += TILE, tile++) {
    const n = min(TILE, count - first)
    for (let at = code; at < end; at += SIZE) {
      const dst = base + load<u32>(at, 4) + tile * load<u32>(at, 8)
      const a = base + load<u32>(at, 12) + tile * load<u32>(at, 16)
      const b = base + load<u32>(at, 20) + tile * load<u32>(at, 24)
      const constant = load<u64>(at, 32)
      switch (load<u32>(at)) {
        case 0: add<T>(dst, a, b, n); break
        case 1: sub<T>(dst, a, b, n); break
        case 2: mul<T>(dst, a, b, n); break
        case 3: plus<T>(dst, a, n, constant); break
        case 4: from<T>(dst, a, n, constant); break
        case 5: and<T>(dst, a, n, constant); break
        case 6: shl<T>(dst, a, n, i32(constant)); break
        case 7: shr<T>(dst, a, n, i32(constant)); break
        case 8: unpack<T>(dst, a, n, u32(constant)); break
        case 9: pack<T>(dst, a, n, u32(constant)); break
        case 10: spread<T>(dst, a, n, phase % u32(constant) + first, u32(constant)); break
        case 11: gather<T>(dst, a, n, phase % u32(constant) + first, u32(constant)); break
        case 12: times<T>(dst, a, n, constant); break
        case 13: fetch<T>(dst, a, n, u32(constant)); break
        case 14: put<T>(dst, a, n, u32(constant)); break
      }
    }
  }
}

/**
 * Runs the instructions code..end over `count` lanes of `lanes` bits, the first of which is number `phase` of its runs.
 * Addresses in instructions count from `base`.
 */
export function evaluate(code: usize, end: usize, base: usize, count: u32, phase: u32, lanes: u32): void {
  if (lanes == 64) run<u64>(code, end, base, count, phase)
  else if (lanes == 32) run<u32>(code, end, base, count, phase)
  else run<u16>(code, end, base, count, phase)
}
