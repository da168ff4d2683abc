import { LANES } from './lanes'

// @ts-ignore: decorator
@inline
function pairs<T>(x: usize, n: u32, head: u32, re: usize, im: usize): void {
  const half = usize(head >> 1) * LANES
  for (let from = x; from < x + usize(n) * LANES; from += 2 * half) {
    for (let at = from; at < from + half; at += LANES) {
      const r = v128.splat<T>(load<T>(re)), i = v128.splat<T>(load<T>(im))
      re += sizeof<T>()
      im += sizeof<T>()
      for (let l = at; l < at + LANES; l += 16) {
        const a = v128.load(l), b = v128.load(l + half)
        v128.store(l, v128.sub<T>(v128.mul<T>(r, a), v128.mul<T>(i, b)))
        v128.store(l + half, v128.add<T>(v128.mul<T>(i, a), v128.mul<T>(r, b)))
      }
    }
  }
}

/** Components i and i + head / 2 of each head of n, as complex numbers, times re + im sqrt(-1); in place. */
export function pairs32(x: usize, n: u32, head: u32, re: usize, im: usize): void {
  pairs<f32>(x, n, head, re, im)
}

export function pairs64(x: usize, n: u32, head: u32, re: usize, im: usize): void {
  pairs<f64>(x, n, head, re, im)
}
