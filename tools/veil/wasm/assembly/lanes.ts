// A tile holds vectors side by side: component i of all of them is 64 bytes at x + 64 i, which are 16 f32 or 8 f64.

/** Bytes of a component of all vectors. */
export const LANES: usize = 64
