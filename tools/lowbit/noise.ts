import { Tensor as OrtTensor } from 'onnxruntime-node'

/** `size` numbers, uniform in [0, 1), as a graph takes them; the same for the same seed. For training alone. */
export function noiseFeed(size: number, seed: number): OrtTensor {
  const data = new Float32Array(size)
  // xorshift32: a batch takes a million numbers, and nothing secret hangs on them.
  let x = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) | 1
  for (let i = 0; i < size; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    data[i] = (x >>> 8) * 2 ** -24
  }
  return new OrtTensor('float32', data, [size])
}
