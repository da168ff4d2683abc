import { demand, KernelError } from './error.ts'
import { checkBits, packedBytes } from './sizes.ts'

/** How the rows of dealt tables turn with masks: see `RotationKernels.packRotated`. */
export interface RotationSpec {
  /** There are 2^shift rows, one for what a mask's low bits can be. */
  readonly shift: number
  /** A row's entries, and the words of each. */
  readonly entries: number
  readonly words: number
}

/** Rows kept in the kernels' own memory. Freeing them twice is harmless. */
export interface RotatingRows {
  readonly spec: RotationSpec
  free(): void
}

/** Dealt tables that are rows of one kept array, rotated by masks. */
export interface RotationKernels {
  /**
   * Copies rows of tables, 2^shift x (entries x words) mod 2^64, into the kernels' own memory. Free them when they are
   * no longer needed.
   */
  keepRotating(rows: BigUint64Array, spec: RotationSpec): RotatingRows
  /**
   * `packDifference` of one row for each mask less `words`, written to `out`: the row of the mask's low `shift` bits,
   * from the entry that its high bits say on, and then the entries before that.
   * @throws KernelError where a mask has no row, `out` is too short, or others keep the rows or nobody does any more.
   */
  packRotated(rows: RotatingRows, masks: Uint32Array, words: Uint8Array, bits: number, out: Uint8Array): void
}

/** Arguments of `RotationKernels.keepRotating`; the words of a row. */
export function checkRotating(rows: BigUint64Array, { shift, entries, words }: RotationSpec): number {
  demand(Number.isInteger(shift) && shift >= 0 && shift <= 31, `no row for each of ${shift} bits of a mask`)
  demand(entries >= 1 && words >= 1, `no table of ${entries} x ${words} words`)
  const per = entries * words
  demand(rows.length === 2 ** shift * per, `${rows.length} words for 2^${shift} rows of ${per}`)
  return per
}

/** Arguments of `RotationKernels.packRotated`; the bytes of a keystream word. */
export function checkRotated(
  { shift, entries, words: n }: RotationSpec,
  masks: Uint32Array,
  words: Uint8Array,
  bits: number,
  out: Uint8Array,
): 1 | 2 | 4 | 8 {
  checkBits(bits)
  const values = masks.length * entries * n
  const width = values === 0 ? 8 : words.length / values
  demand(
    width === 1 || width === 2 || width === 4 || width === 8,
    `${words.length} bytes are no words for ${values} values`,
  )
  demand(out.length === packedBytes(values, bits), `${values} values of ${bits} bits in ${out.length} bytes`)
  const end = 2 ** shift * entries
  for (let i = 0; i < masks.length; i++)
    if (masks[i] >= end) throw new KernelError(`mask ${masks[i]} has no row`)
  return width
}
