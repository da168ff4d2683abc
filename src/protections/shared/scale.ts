/** How a value's integers stand for real numbers. Public: every party knows the scale of every value. */

/** An integer x stands for x / 2^bits. */
export interface FractionScale {
  readonly kind: 'fraction'
  readonly bits: number
}

/**
 * The scale of a typed value. A profile that represents numbers otherwise (by a real factor, by one that stays with a
 * party) adds its kind here; the compiler then names every operation that knows fractions alone.
 */
export type Scale = FractionScale

/** Fixed point with so many fraction bits. */
export const fraction = (bits: number): Scale => ({ kind: 'fraction', bits })

/** Integers that stand for themselves. */
export const UNSCALED = fraction(0)

/** The scale of a product of two values. */
export const timesScale = (a: Scale, b: Scale): Scale => fraction(a.bits + b.bits)

/** With `bits` fraction bits more, or fewer where `bits` is negative. */
export const finer = (scale: Scale, bits: number): Scale => fraction(scale.bits + bits)

/** Whether two values may be added. */
export const isSameScale = (a: Scale, b: Scale): boolean => a.kind === b.kind && a.bits === b.bits
