import type { ProductKind } from './products.ts'

/** A digit of the right operand: it counts 2^shift, and meets digits of `left` bits of the left operand. */
export interface RightDigit {
  readonly shift: number
  readonly left: number
}

/** How both operands of a product are cut: only pairs of digits that land below the ring's `bits` are multiplied. */
export interface Scheme {
  readonly bits: number
  /** Bits of a digit of the right operand. */
  readonly right: number
  readonly digits: readonly RightDigit[]
}

/** What a scheme depends on. */
export interface Sizes {
  /** Terms of each sum. */
  readonly k: number
  /** The product is taken mod 2^bits. */
  readonly bits: number
  /** Bits that the right operand's elements need, sign included: 64 for elements of a ring. */
  readonly reach: number
}

/** Most terms of a sum of 8-bit products, any kind of them: more could leave 32 bits. */
export const EXACT_K = Math.floor((2 ** 31 - 1) / (255 * 128))

/** Bits of integers that float64 adds up exactly. */
const FLOAT_BITS = 53
/** What it costs to lay out a right digit, in products with a left one: it is what 25 rows in 64 cost. */
const LAYOUT = 0.4

/** Digits of the left operand that right digit q meets. */
export const leftDigits = ({ bits, digits }: Scheme, q: number): number =>
  Math.ceil((bits - digits[q].shift) / digits[q].left)

/** The scheme of a kind that multiplies the fewest pairs of digits and stays exact. */
export function schemeOf(kind: ProductKind, sizes: Sizes): Scheme {
  return kind === 'float64' ? floatScheme(sizes) : byteScheme(kind, sizes)
}

/**
 * Byte planes on the right. Where pairs of products saturate at 16 bits, 127 * 128 * 2 and 255 * 64 * 2 do not reach them:
 * full bytes meet 7-bit digits, and what is left of the top byte meets full bytes if it has 7 bits.
 */
function byteScheme(kind: ProductKind, { bits, reach }: Sizes): Scheme {
  const planes = Math.ceil(reach / 8)
  const digits = Array.from({ length: Math.min(planes, Math.ceil(bits / 8)) }, (_, q) => {
    const isSmall = q === planes - 1 && reach - 8 * q <= 7
    return { shift: 8 * q, left: kind === 'u7s8' && !isSmall ? 7 : 8 }
  })
  return { bits, right: 8, digits }
}

/**
 * Balanced digits of l and r bits reach 2^(l-1) and 2^(r-1), so a sum of k products stays within 2^53 while
 * l - 1 + r - 1 + log2 k <= 53.
 */
function floatScheme({ k, bits, reach }: Sizes): Scheme {
  const room = FLOAT_BITS + 2 - Math.ceil(Math.log2(Math.max(1, k)))
  let best: Scheme | undefined
  let least = Number.POSITIVE_INFINITY
  for (let right = 8; right <= 30; right++) {
    const left = Math.min(30, room - right)
    if (left < 4) break
    // Adding halves of the lower digits takes a bit more of the top one.
    const all = reach <= right ? 1 : Math.ceil((reach + 1) / right)
    const count = Math.min(all, Math.ceil(bits / right))
    const scheme = {
      bits,
      right,
      digits: Array.from({ length: count }, (_, q) => ({ shift: right * q, left })),
    }
    const cost = scheme.digits.reduce((sum, _, q) => sum + leftDigits(scheme, q) + LAYOUT, 0)
    if (cost < least) [best, least] = [scheme, cost]
  }
  return best as Scheme
}
