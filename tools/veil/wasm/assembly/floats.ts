// Stored numbers as floats and back. Kinds: 0 F16, 1 BF16, 2 F32, 3 F64; those of 16 bits become f32, the others f64.

// 2^112 moves an exponent of bias 15 to one of bias 127, subnormals included.
// @ts-ignore: decorator
@inline
export function widenHalves(words: v128): v128 {
  const size = i32x4.shl(v128.and(words, i32x4.splat(0x7fff)), 13)
  const sign = i32x4.shl(v128.and(words, i32x4.splat(0x8000)), 16)
  return v128.or(f32x4.mul(size, f32x4.splat(reinterpret<f32>(0x77800000))), sign)
}

// @ts-ignore: decorator
@inline
export function widenBfloats(words: v128): v128 {
  return i32x4.shl(words, 16)
}

// Four f32 to words in the low halves of four i32, rounded to nearest, ties to even. What is too large has the highest
// exponent, as infinities have.
// @ts-ignore: decorator
@inline
export function narrowHalves(x: v128): v128 {
  const sign = v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000))
  const size = v128.and(x, i32x4.splat(0x7fffffff))
  const scaled = f32x4.mul(size, f32x4.splat(reinterpret<f32>(0x07800000)))
  const odd = v128.and(i32x4.shr_u(scaled, 13), i32x4.splat(1))
  const rounded = i32x4.shr_u(i32x4.add(scaled, i32x4.add(odd, i32x4.splat(0xfff))), 13)
  return v128.or(sign, i32x4.min_u(rounded, i32x4.splat(0x7c00)))
}

// @ts-ignore: decorator
@inline
export function narrowBfloats(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1))
  return i32x4.shr_u(i32x4.add(x, i32x4.add(odd, i32x4.splat(0x7fff))), 16)
}
