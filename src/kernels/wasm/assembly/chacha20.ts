// ChaCha20 keystream (RFC 8439 section 2.3), four blocks at a time: vector i holds word i of four blocks whose
// counters follow each other, so the quarter rounds need no lane shuffles until the final 4x4 transpositions.

// @ts-ignore: decorator
@inline
function rot16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
}

// @ts-ignore: decorator
@inline
function rot8(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)
}

// @ts-ignore: decorator
@inline
function rot12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20))
}

// @ts-ignore: decorator
@inline
function rot7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25))
}

// Adds the input words, turns word-major into block-major and stores words w..w+3 of the four blocks.
// @ts-ignore: decorator
@inline
function emit(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const ab1 = i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  const cd0 = i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const cd1 = i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  v128.store(out, i8x16.shuffle(ab0, cd0, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  v128.store(out + 64, i8x16.shuffle(ab0, cd0, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
  v128.store(out + 128, i8x16.shuffle(ab1, cd1, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  v128.store(out + 192, i8x16.shuffle(ab1, cd1, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
}

// Four blocks at once, each with its own counter and last two nonce words. `state`: key (8 words), first nonce word.
// @ts-ignore: decorator
@inline
function fourBlocks(state: usize, count: v128, n1: v128, n2: v128, out: usize): void {
  const k0 = v128.load32_splat(state), k1 = v128.load32_splat(state + 4)
  const k2 = v128.load32_splat(state + 8), k3 = v128.load32_splat(state + 12)
  const k4 = v128.load32_splat(state + 16), k5 = v128.load32_splat(state + 20)
  const k6 = v128.load32_splat(state + 24), k7 = v128.load32_splat(state + 28)
  const n0 = v128.load32_splat(state + 32)
  const s0 = i32x4.splat(0x61707865), s1 = i32x4.splat(0x3320646e)
  const s2 = i32x4.splat(0x79622d32), s3 = i32x4.splat(0x6b206574)
  let x0 = s0, x1 = s1, x2 = s2, x3 = s3, x4 = k0, x5 = k1, x6 = k2, x7 = k3
  let x8 = k4, x9 = k5, x10 = k6, x11 = k7, x12 = count, x13 = n0, x14 = n1, x15 = n2
  for (let r = 0; r < 10; r++) {
    // column round, four quarter rounds in step
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7)
    x12 = rot16(v128.xor(x12, x0)); x13 = rot16(v128.xor(x13, x1)); x14 = rot16(v128.xor(x14, x2)); x15 = rot16(v128.xor(x15, x3))
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15)
    x4 = rot12(v128.xor(x4, x8)); x5 = rot12(v128.xor(x5, x9)); x6 = rot12(v128.xor(x6, x10)); x7 = rot12(v128.xor(x7, x11))
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7)
    x12 = rot8(v128.xor(x12, x0)); x13 = rot8(v128.xor(x13, x1)); x14 = rot8(v128.xor(x14, x2)); x15 = rot8(v128.xor(x15, x3))
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15)
    x4 = rot7(v128.xor(x4, x8)); x5 = rot7(v128.xor(x5, x9)); x6 = rot7(v128.xor(x6, x10)); x7 = rot7(v128.xor(x7, x11))
    // diagonal round
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4)
    x15 = rot16(v128.xor(x15, x0)); x12 = rot16(v128.xor(x12, x1)); x13 = rot16(v128.xor(x13, x2)); x14 = rot16(v128.xor(x14, x3))
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14)
    x5 = rot12(v128.xor(x5, x10)); x6 = rot12(v128.xor(x6, x11)); x7 = rot12(v128.xor(x7, x8)); x4 = rot12(v128.xor(x4, x9))
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4)
    x15 = rot8(v128.xor(x15, x0)); x12 = rot8(v128.xor(x12, x1)); x13 = rot8(v128.xor(x13, x2)); x14 = rot8(v128.xor(x14, x3))
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14)
    x5 = rot7(v128.xor(x5, x10)); x6 = rot7(v128.xor(x6, x11)); x7 = rot7(v128.xor(x7, x8)); x4 = rot7(v128.xor(x4, x9))
  }
  emit(out, i32x4.add(x0, s0), i32x4.add(x1, s1), i32x4.add(x2, s2), i32x4.add(x3, s3))
  emit(out + 16, i32x4.add(x4, k0), i32x4.add(x5, k1), i32x4.add(x6, k2), i32x4.add(x7, k3))
  emit(out + 32, i32x4.add(x8, k4), i32x4.add(x9, k5), i32x4.add(x10, k6), i32x4.add(x11, k7))
  emit(out + 48, i32x4.add(x12, count), i32x4.add(x13, n0), i32x4.add(x14, n1), i32x4.add(x15, n2))
}

/**
 * Writes `groups` groups of four 64-byte blocks to `out`.
 * `state` points at 11 words: key (8), nonce (3). Block `counter` comes first; the caller checks it cannot wrap.
 */
export function chacha20(state: usize, counter: u32, out: usize, groups: u32): void {
  const n1 = v128.load32_splat(state + 36), n2 = v128.load32_splat(state + 40)
  let count = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3))
  for (let g: u32 = 0; g < groups; g++) {
    fourBlocks(state, count, n1, n2, out)
    count = i32x4.add(count, i32x4.splat(4))
    out += 256
  }
}

// Every third of twelve words from `places` on.
// @ts-ignore: decorator
@inline
function thirds(places: usize): v128 {
  let four = v128.load32_splat(places)
  four = v128.load32_lane(places, four, 1, 12)
  four = v128.load32_lane(places, four, 2, 24)
  return v128.load32_lane(places, four, 3, 36)
}

/**
 * Scattered blocks: `places` points at `groups` groups of four times three words, a counter and the second and third nonce
 * words; the key and the first nonce word come from `state`. Each group writes four 64-byte blocks to `out`.
 */
export function chacha20Scattered(state: usize, places: usize, out: usize, groups: u32): void {
  for (let g: u32 = 0; g < groups; g++) {
    fourBlocks(state, thirds(places), thirds(places + 4), thirds(places + 8), out)
    places += 48
    out += 256
  }
}
