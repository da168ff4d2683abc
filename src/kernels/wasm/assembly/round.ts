/** JavaScript's Math.round: halves go up. x less its floor is exact where that matters. */
// @ts-ignore: decorator
@inline
export function round(x: v128): v128 {
  const low = f64x2.floor(x)
  const isUp = f64x2.ge(f64x2.sub(x, low), f64x2.splat(0.5))
  return f64x2.add(low, v128.and(isUp, f64x2.splat(1)))
}
