// How B rests in memory. Columns are cut into panels (8 wide, 4 for u64) and a panel's rows follow each other,
// so a matrix-vector product reads memory once, front to back, with its sums in registers.
//
// Types of 8 and 16 bits interleave two rows (c0k0 c0k1 c1k0 c1k1 ...): the shape i32x4.dot_i16x8_s wants.
// Unused columns and the odd last row stay zero: the caller clears the memory first.

// @ts-ignore: decorator
@inline
function scatterPairs<T>(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  const panelBytes = usize((k + 1) & ~1) * 8 * sizeof<T>()
  for (let r: u32 = 0; r < rows; r++) {
    const row = row0 + r
    const base = dst + (usize(row >> 1) * 16 + (row & 1)) * sizeof<T>()
    for (let j: u32 = 0; j < n; j++, src += sizeof<T>()) {
      store<T>(base + usize(j >> 3) * panelBytes + usize(j & 7) * 2 * sizeof<T>(), load<T>(src))
    }
  }
}

// @ts-ignore: decorator
@inline
function scatterRows<T>(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32, log: u32): void {
  const panelBytes = (usize(k) << log) * sizeof<T>()
  const low: u32 = (1 << log) - 1
  for (let r: u32 = 0; r < rows; r++) {
    const base = dst + (usize(row0 + r) << log) * sizeof<T>()
    for (let j: u32 = 0; j < n; j++, src += sizeof<T>()) {
      store<T>(base + usize(j >> log) * panelBytes + usize(j & low) * sizeof<T>(), load<T>(src))
    }
  }
}

/** Puts rows row0..row0+rows of a k x n row-major i8 matrix, contiguous at `src`, in their places at `dst`. */
export function scatter8(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterPairs<i8>(src, dst, row0, rows, k, n)
}

export function scatter16(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterPairs<i16>(src, dst, row0, rows, k, n)
}

export function scatter32(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterRows<i32>(src, dst, row0, rows, k, n, 3)
}

export function scatter64(src: usize, dst: usize, row0: u32, rows: u32, k: u32, n: u32): void {
  scatterRows<u64>(src, dst, row0, rows, k, n, 2)
}
