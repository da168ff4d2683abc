import { LANES } from './lanes'

// @ts-ignore: decorator
@inline
function four<T>(at: usize, h: usize): void {
  const half = v128.splat<T>(<T>0.5)
  const a = v128.load(at), b = v128.load(at + h), c = v128.load(at + 2 * h), d = v128.load(at + 3 * h)
  const ab = v128.add<T>(a, b), a_b = v128.sub<T>(a, b)
  const cd = v128.add<T>(c, d), c_d = v128.sub<T>(c, d)
  v128.store(at, v128.mul<T>(v128.add<T>(ab, cd), half))
  v128.store(at + h, v128.mul<T>(v128.add<T>(a_b, c_d), half))
  v128.store(at + 2 * h, v128.mul<T>(v128.sub<T>(ab, cd), half))
  v128.store(at + 3 * h, v128.mul<T>(v128.sub<T>(a_b, c_d), half))
}

// @ts-ignore: decorator
@inline
function two<T>(at: usize, h: usize): void {
  const root = v128.splat<T>(<T>0.7071067811865476)
  const a = v128.load(at), b = v128.load(at + h)
  v128.store(at, v128.mul<T>(v128.add<T>(a, b), root))
  v128.store(at + h, v128.mul<T>(v128.sub<T>(a, b), root))
}

// @ts-ignore: decorator
@inline
function hadamard<T>(x: usize, n: u32, block: u32): void {
  const width = usize(block) * LANES
  for (let from = x; from < x + usize(n) * LANES; from += width) {
    let h: usize = LANES
    for (; h * 4 <= width; h *= 4) {
      for (let i = from; i < from + width; i += h * 4) {
        for (let j = i; j < i + h; j += 32) {
          four<T>(j, h)
          four<T>(j + 16, h)
        }
      }
    }
    if (h < width) for (let j = from; j < from + h; j += 16) two<T>(j, h)
  }
}

/** The orthonormal Walsh-Hadamard transform of each block of `block` components, of n; in place. */
export function hadamard32(x: usize, n: u32, block: u32): void {
  hadamard<f32>(x, n, block)
}

export function hadamard64(x: usize, n: u32, block: u32): void {
  hadamard<f64>(x, n, block)
}
