/** Maps that permute, change signs and multiply by powers of two, done on stored words: nothing is rounded but subnormals. */
import { fromBfloat, fromHalf, toBfloat, toHalf } from '../../src/model/files/float16.ts'
import type { Monomial } from '../../src/protections/veiled/linear-map.ts'
import type { WordType } from './words.ts'

/** Where an exponent lies in a word, and the sign. */
interface Layout {
  readonly shift: number
  readonly exponents: number
  readonly sign: number
}

const layouts: Record<'F16' | 'BF16' | 'F32', Layout> = {
  F16: { shift: 10, exponents: 0x1f, sign: 0x8000 },
  BF16: { shift: 7, exponents: 0xff, sign: 0x8000 },
  F32: { shift: 23, exponents: 0xff, sign: 0x80000000 },
}

/** What happened to values that are not stored exactly. */
export interface Tally {
  /** Became subnormal, or were, and lost bits. */
  rounded: number
  /** Too large for their type. */
  lost: number
}

/** A monomial in words: where each comes from, the sign that it gets, and how many powers of two. */
export interface ExactMap {
  readonly from: Uint32Array
  readonly sign: Uint32Array
  readonly power: Int32Array
  readonly hasPowers: boolean
}

/** Nothing where a factor is no power of two, or words of this type are not handled. */
export function exactMap({ from, scale }: Monomial, type: WordType): ExactMap | undefined {
  if (type === 'F64') return undefined
  const sign = new Uint32Array(from.length)
  const power = new Int32Array(from.length)
  let hasPowers = false
  for (let i = 0; scale && i < scale.length; i++) {
    const log = Math.log2(Math.abs(scale[i]))
    if (!Number.isInteger(log) || 2 ** log !== Math.abs(scale[i])) return undefined
    if (scale[i] < 0) sign[i] = layouts[type].sign
    power[i] = log
    if (log !== 0) hasPowers = true
  }
  return { from, sign, power, hasPowers }
}

/**
 * One row: out[to + j] is the word `columns` brings to j of the row at `from`, with the row's own sign and powers of two
 * besides. Words are Uint16Array or Uint32Array.
 */
export function exactRow(
  type: WordType,
  words: Uint16Array | Uint32Array,
  from: number,
  { from: columns, sign, power, hasPowers }: ExactMap,
  row: { sign: number; power: number },
  out: Uint16Array | Uint32Array,
  to: number,
  tally: Tally,
): void {
  const count = columns.length
  if (!hasPowers && row.power === 0) {
    for (let j = 0; j < count; j++) out[to + j] = words[from + columns[j]] ^ sign[j] ^ row.sign
    return
  }
  const { shift, exponents, sign: top } = layouts[type as keyof typeof layouts]
  for (let j = 0; j < count; j++) {
    const word = words[from + columns[j]] ^ sign[j] ^ row.sign
    const powers = power[j] + row.power
    const exponent = (word >>> shift) & exponents
    const moved = exponent + powers
    // What is left is subnormal, or comes to be, or is too large.
    if (exponent > 0 && moved > 0 && moved < exponents) out[to + j] = word + (powers << shift)
    else if ((word & (top - 1)) === 0) out[to + j] = word
    else out[to + j] = slowly(type, word, powers, tally)
  }
}

function slowly(type: WordType, word: number, powers: number, tally: Tally): number {
  const value = toFloat(type, word)
  const wanted = value * 2 ** powers
  const stored = fromFloat(type, wanted)
  const got = toFloat(type, stored)
  if (!Number.isFinite(got)) tally.lost++
  else if (got !== wanted) tally.rounded++
  return stored
}

const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

function toFloat(type: WordType, word: number): number {
  if (type !== 'F32') return type === 'F16' ? fromHalf(word) : fromBfloat(word)
  bits[0] = word
  return single[0]
}

function fromFloat(type: WordType, value: number): number {
  if (type !== 'F32') return type === 'F16' ? toHalf(value) : toBfloat(value)
  single[0] = value
  return bits[0]
}
