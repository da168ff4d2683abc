/** Tables side by side: `count` rounds of one for each group, `size` values each; a power of two. */
export interface RotatedTables {
  readonly count: number
  readonly groups: number
  readonly size: number
}

/** Low seven bits of every byte of a word, and the others: bytes are added in words, and none carries into the next. */
const LOW = 0x7f7f7f7f
const HIGH = 0x80808080

/**
 * The sum of each group's tables, every one rotated to the right by its turn: groups x size, of bytes mod 2^8, of other
 * values mod 2^32. The tables are those from number `first` on, as their turns are.
 */
export function rotatedSums(
  values: Uint8Array | Uint32Array,
  turns: Uint32Array,
  first: number,
  tables: RotatedTables,
): Uint8Array | Uint32Array {
  if (values instanceof Uint8Array && tables.size >= 4) return byteSums(values, turns, first, tables)
  const { count, groups, size } = tables
  const out = new Uint32Array(groups * size)
  for (let i = first; i < first + count * groups; i++) {
    const to = ((i - first) % groups) * size
    for (let b = 0; b < size; b++) out[to + ((b + turns[i]) & (size - 1))] += values[i * size + b]
  }
  return out
}

/** Whole words are added up as they stand, apart for what turns are mod 4, and put together at the end. */
function byteSums(
  values: Uint8Array,
  turns: Uint32Array,
  first: number,
  { count, groups, size }: RotatedTables,
): Uint8Array {
  const source = new DataView(values.buffer, values.byteOffset, values.length)
  const words = size / 4
  const sums = new Int32Array(groups * 4 * words)
  for (let j = 0, i = first; j < count; j++)
    for (let g = 0; g < groups; g++, i++) {
      const from = i * size
      const to = (4 * g + (turns[i] & 3)) * words
      const turn = turns[i] >>> 2
      for (let w = 0; w < words; w++) {
        const at = to + ((w + turn) & (words - 1))
        const a = sums[at]
        const b = source.getInt32(from + 4 * w, true)
        sums[at] = ((a & LOW) + (b & LOW)) ^ ((a ^ b) & HIGH)
      }
    }
  const parts = new Uint8Array(sums.buffer)
  const out = new Uint8Array(groups * size)
  for (let g = 0, at = 0; g < groups; g++)
    for (let turn = 0; turn < 4; turn++)
      for (let b = 0; b < size; b++) out[g * size + ((b + turn) & (size - 1))] += parts[at++]
  return out
}
