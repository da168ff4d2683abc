/** Conversions between 32-bit floats and the two 16-bit formats of model files. */

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** Nearest IEEE half, ties to even; too large becomes infinity. */
export function toHalf(value: number): number {
  float[0] = value
  const x = bits[0]
  const sign = (x >>> 16) & 0x8000
  const exponent = (x >>> 23) & 0xff
  const mantissa = x & 0x7fffff
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa ? 0x200 : 0)
  const e = exponent - 112
  if (e >= 31) return sign | 0x7c00
  if (e <= 0) {
    // Subnormal half: shift the mantissa, with its implicit one, into place.
    if (e < -10) return sign
    return sign | roundShift(mantissa | 0x800000, 14 - e)
  }
  // A carry out of the mantissa moves into the exponent, which is what rounding up means.
  return sign | ((e << 10) + roundShift(mantissa, 13))
}

/** x / 2^shift, rounded to nearest, ties to even. */
function roundShift(x: number, shift: number): number {
  const whole = x >>> shift
  const rest = x & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return rest > half || (rest === half && whole & 1) ? whole + 1 : whole
}

/** The exact value of an IEEE 754 half (binary16); infinities and NaN included. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 31
  const mantissa = half & 0x3ff
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponent === 0) return sign * mantissa * 2 ** -24
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

/** Nearest bfloat16, ties to even. */
export function toBfloat(value: number): number {
  float[0] = value
  const x = bits[0]
  if ((x & 0x7fffffff) > 0x7f800000) return (x >>> 16) | 0x40
  return ((x + 0x7fff + ((x >>> 16) & 1)) >>> 16) & 0xffff
}

/** bfloat16 is the upper half of a float32. */
export function fromBfloat(half: number): number {
  bits[0] = half << 16
  return float[0]
}
