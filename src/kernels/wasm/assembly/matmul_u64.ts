// Products with 64-bit matrices (panels of 4 columns). Scalar multiplies: WebAssembly's i64x2.mul is taken apart
// into three 32-bit ones on every engine without AVX-512, and measures slower than one imul per element.

/** `a` holds m rows of k u64, `out` m rows of 4 * panels u64. */
export function mul64(a: usize, m: u32, b: usize, k: u32, panels: u32, out: usize): void {
  const k2 = k & ~1
  for (let p: u32 = 0; p < panels; p++, b += usize(k) << 5) {
    let at = a
    for (let r: u32 = 0; r < m; r++) {
      let s0: u64 = 0, s1: u64 = 0, s2: u64 = 0, s3: u64 = 0
      let from = b
      for (let i: u32 = 0; i < k2; i += 2, at += 16, from += 64) {
        const x = load<u64>(at), y = load<u64>(at, 8)
        s0 += x * load<u64>(from) + y * load<u64>(from, 32)
        s1 += x * load<u64>(from, 8) + y * load<u64>(from, 40)
        s2 += x * load<u64>(from, 16) + y * load<u64>(from, 48)
        s3 += x * load<u64>(from, 24) + y * load<u64>(from, 56)
      }
      if (k2 < k) {
        const x = load<u64>(at)
        at += 8
        s0 += x * load<u64>(from)
        s1 += x * load<u64>(from, 8)
        s2 += x * load<u64>(from, 16)
        s3 += x * load<u64>(from, 24)
      }
      const to = out + ((usize(r) * panels + p) << 5)
      store<u64>(to, s0)
      store<u64>(to, s1, 8)
      store<u64>(to, s2, 16)
      store<u64>(to, s3, 24)
    }
  }
}
