import type { Contraction } from './contraction.ts'
import type { LaneWidth } from './lanes.ts'
import type { RotationSpec } from './rotated.ts'

/**
 * Known answers of the kernels of narrow rings, made by the oracle (`oracle/narrow-vectors.ts`), kept in
 * `narrow-vectors.json`. Arrays are hex of their little-endian bytes: u64 words where not said otherwise.
 */
export interface NarrowVectors {
  version: 1
  /** Two terms; all arrays hold lanes of `width` bits. */
  contract: {
    kind: 'scores' | 'mix'
    width: LaneWidth
    o: Contraction
    terms: [left: string, right: string][]
    out: string
  }[]
  /** y = a · b mod 2^bits; `b` is i8, a sign and a scale for each column, or anything within +-63. */
  small: { bits: number; m: number; k: number; n: number; a: string; b: string; y: string }[]
  /** `words`, `out`: bytes; `masks`: numbers. */
  rotate: { spec: RotationSpec; rows: string; masks: number[]; bits: number; words: string; out: string }[]
  /** (x + y) z mod 2^bits of lanes of `width` bits, and the same shifted down by `shift`, packed. */
  program: {
    width: LaneWidth
    bits: number
    shift: number
    x: string
    y: string
    z: string
    lanes: string
    packed: string
  }[]
  /** Calls that every backend refuses: vectors of the other lists, by their places, with one argument replaced. */
  refused: (
    | { of: 'contract'; at: number; terms: [left: string, right: string][] }
    | { of: 'contract'; at: number; o: Contraction }
    | { of: 'small'; at: number; a: string }
    | { of: 'small'; at: number; b: string }
    | { of: 'small'; at: number; bits: number }
    | { of: 'rotate'; at: number; masks: number[] }
    | { of: 'rotate'; at: number; words: string }
    | { of: 'rotate'; at: number; rows: string }
    | { of: 'program'; at: number; x: string }
  )[]
}
