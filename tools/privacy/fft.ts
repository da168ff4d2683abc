/**
 * Discrete Fourier transform of a complex vector, in place, length a power of two: X_k = sum x_j e^(-+2 pi i jk / n).
 * The inverse divides by n. Radix-2 decimation in time (Cooley and Tukey 1965), twiddles each from its own sine, so
 * the error stays near the rounding of doubles. Throws RangeError for other lengths.
 */
export function fft(re: Float64Array, im: Float64Array, inverse = false): void {
  const n = re.length
  if (im.length !== n || n < 1 || (n & (n - 1)) !== 0)
    throw new RangeError(`A transform of ${n} and ${im.length} numbers: both must be the same power of two.`)
  const bits = 31 - Math.clz32(n)
  for (let i = 0; i < n; i++) {
    const j = bits === 0 ? 0 : reverseBits(i) >>> (32 - bits)
    if (j > i) {
      ;[re[i], re[j]] = [re[j], re[i]]
      ;[im[i], im[j]] = [im[j], im[i]]
    }
  }
  const sign = inverse ? 1 : -1
  const cosines = Float64Array.from({ length: n / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / n))
  const sines = Float64Array.from({ length: n / 2 }, (_, k) => sign * Math.sin((2 * Math.PI * k) / n))
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half)
    for (let start = 0; start < n; start += 2 * half)
      for (let k = 0; k < half; k++) {
        const a = start + k
        const b = a + half
        const c = cosines[k * stride]
        const s = sines[k * stride]
        const x = re[b] * c - im[b] * s
        const y = re[b] * s + im[b] * c
        re[b] = re[a] - x
        im[b] = im[a] - y
        re[a] += x
        im[a] += y
      }
  }
  if (inverse)
    for (let i = 0; i < n; i++) {
      re[i] /= n
      im[i] /= n
    }
}

function reverseBits(x: number): number {
  x = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1)
  x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2)
  x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4)
  x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8)
  return (x >>> 16) | (x << 16)
}
