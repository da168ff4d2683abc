import { LANES } from './lanes'

// @ts-ignore: decorator
@inline
function gather<T>(x: usize, from: usize, scale: usize, n: u32, out: usize): void {
  for (let j: u32 = 0; j < n; j++, out += LANES) {
    const at = x + usize(load<u32>(from + (usize(j) << 2))) * LANES
    const s = v128.splat<T>(load<T>(scale + usize(j) * sizeof<T>()))
    v128.store(out, v128.mul<T>(v128.load(at), s))
    v128.store(out, v128.mul<T>(v128.load(at, 16), s), 16)
    v128.store(out, v128.mul<T>(v128.load(at, 32), s), 32)
    v128.store(out, v128.mul<T>(v128.load(at, 48), s), 48)
  }
}

/** Component j of `out` is scale[j] times component from[j] of `x`, n of them. */
export function gather32(x: usize, from: usize, scale: usize, n: u32, out: usize): void {
  gather<f32>(x, from, scale, n, out)
}

export function gather64(x: usize, from: usize, scale: usize, n: u32, out: usize): void {
  gather<f64>(x, from, scale, n, out)
}
