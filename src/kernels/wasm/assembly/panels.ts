// How B rests in memory. Columns are cut into panels (8 wide, 4 for u64) and a panel's rows follow each other,
// so a matrix-vector product reads memory once, front to back, with its sums in registers.
//
// Types of 8 and 16 bits interleave two rows (c0k0 c0k1 c1k0 c1k1 ...): the shape i32x4.dot_i16x8_s wants.
// S is the type of the source, T the one at rest: u64 keystream words narrow on their way.
// Unused columns and the odd last row stay zero: the caller clears the memory first.

// @ts-ignore: decorator
@inline
function scatterPairs<S, T>(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  const panelBytes = usize((k + 1) & ~1) * 8 * sizeof<T>()
  for (let r: u32 = 0; r < rows; r++) {
    const row = row0 + r
    const base = dst + (usize(row >> 1) * 16 + (row & 1)) * sizeof<T>()
    for (let j: u32 = 0; j < n; j++, src += sizeof<S>()) {
      store<T>(base + usize(j >> 3) * panelBytes + usize(j & 7) * 2 * sizeof<T>(), <T>load<S>(src))
    }
  }
}

// @ts-ignore: decorator
@inline
function scatterRows<S, T>(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32, log: u32): void {
  const panelBytes = (usize(k) << log) * sizeof<T>()
  const low: u32 = (1 << log) - 1
  for (let r: u32 = 0; r < rows; r++) {
    const base = dst + (usize(row0 + r) << log) * sizeof<T>()
    for (let j: u32 = 0; j < n; j++, src += sizeof<S>()) {
      store<T>(base + usize(j >> log) * panelBytes + usize(j & low) * sizeof<T>(), <T>load<S>(src))
    }
  }
}

/** Puts rows row0..row0+rows of a k x n row-major i8 matrix, contiguous at `src`, in their places at `dst`. */
export function scatter8(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterPairs<i8, i8>(src, dst, row0, rows, k, n)
}

export function scatter16(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterPairs<i16, i16>(src, dst, row0, rows, k, n)
}

export function scatter32(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterRows<i32, i32>(src, dst, row0, rows, k, n, 3)
}

export function scatter64(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterRows<u64, u64>(src, dst, row0, rows, k, n, 2)
}

/** u64 words to rest as i16: for rings of at most 16 bits. */
export function narrow16(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterPairs<i64, i16>(src, dst, row0, rows, k, n)
}

/** u64 words to rest as i32: for rings of at most 32 bits. */
export function narrow32(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterRows<i64, i32>(src, dst, row0, rows, k, n, 3)
}
