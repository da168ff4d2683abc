/** Walsh-Hadamard transforms of many vectors at once. */

/**
 * The orthonormal Walsh-Hadamard transform of each block of `block` components (a power of two), in place; component i of
 * vector l is x[i lanes + l]. Costs log2(block) additions a value; a pass makes two of them in one go.
 */
export function hadamard(x: Float64Array, block: number, lanes: number): void {
  const width = block * lanes
  for (let from = 0; from < x.length; from += width) {
    let h = lanes
    for (; 4 * h <= width; h *= 4) passOfFour(x, from, from + width, h)
    if (h < width) passOfTwo(x, from, from + width, h)
  }
}

function passOfFour(x: Float64Array, from: number, end: number, h: number): void {
  for (let i = from; i < end; i += 4 * h)
    for (let j = i; j < i + h; j++) {
      const a = x[j]
      const b = x[j + h]
      const c = x[j + 2 * h]
      const d = x[j + 3 * h]
      const ab = a + b
      const cd = c + d
      const a_b = a - b
      const c_d = c - d
      x[j] = 0.5 * (ab + cd)
      x[j + h] = 0.5 * (a_b + c_d)
      x[j + 2 * h] = 0.5 * (ab - cd)
      x[j + 3 * h] = 0.5 * (a_b - c_d)
    }
}

function passOfTwo(x: Float64Array, from: number, end: number, h: number): void {
  for (let i = from; i < end; i += 2 * h)
    for (let j = i; j < i + h; j++) {
      const a = x[j]
      const b = x[j + h]
      x[j] = Math.SQRT1_2 * (a + b)
      x[j + h] = Math.SQRT1_2 * (a - b)
    }
}
