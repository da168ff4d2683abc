import { demand } from './error.ts'

/** @throws KernelError unless `bits` is a ring width, 1..64. */
export function checkBits(bits: number): void {
  demand(Number.isInteger(bits) && bits >= 1 && bits <= 64, `ring width must be 1..64 bits, got ${bits}`)
}

/** @throws KernelError unless `value`, a count or a dimension, is a safe integer >= 0. */
export function checkSize(value: number, what: string): void {
  demand(Number.isSafeInteger(value) && value >= 0, `${what} must be a whole number >= 0, got ${value}`)
}

/** Bytes that `count` values of `bits` bits occupy. Products stay exact: count * 64 < 2^53. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8)
}
