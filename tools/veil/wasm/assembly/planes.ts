import { LANES } from './lanes'

/** 64 bytes of each of n rows of a plane, `stride` bytes apart, to a tile. */
export function tileOfPlane(plane: usize, stride: usize, n: u32, out: usize): void {
  for (let i: u32 = 0; i < n; i++, plane += stride, out += LANES) memory.copy(out, plane, LANES)
}

/** A tile back to where it was in a plane. */
export function planeOfTile(x: usize, n: u32, plane: usize, stride: usize): void {
  for (let i: u32 = 0; i < n; i++, plane += stride, x += LANES) memory.copy(plane, x, LANES)
}
