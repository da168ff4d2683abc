/** Maps that permute, change signs and multiply by powers of two, done on stored words: nothing is rounded but subnormals. */
import { fromBfloat, fromHalf, toBfloat, toHalf } from '../../src/model/files/float16.ts'
import type { Monomial } from '../../src/protections/veiled/linear-map.ts'
import { type WordType, wordBytes } from './words.ts'
import type { Workspace } from './workspace.ts'

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
}

/** Nothing where a factor is no power of two, or words of this type are not handled. */
export function exactMap({ from, scale }: Monomial, type: WordType): ExactMap | undefined {
  if (type === 'F64') return undefined
  const sign = new Uint32Array(from.length)
  const power = new Int32Array(from.length)
  for (let i = 0; scale && i < scale.length; i++) {
    const log = Math.log2(Math.abs(scale[i]))
    if (!Number.isInteger(log) || 2 ** log !== Math.abs(scale[i])) return undefined
    if (scale[i] < 0) sign[i] = layouts[type].sign
    power[i] = log
  }
  return { from, sign, power }
}

/**
 * A function for chunks of `count` rows at `words`: the map of the columns, and each row's own sign and powers of two
 * besides, those of `rows` from `first` on.
 */
export function exactRows(space: Workspace, columns: ExactMap, tally: Tally) {
  const type = space.type as keyof typeof layouts
  const { shift, exponents } = layouts[type]
  const [isShort, size] = [wordBytes[type] === 2, wordBytes[type]]
  const width = columns.from.length
  const from = space.put(columns.from)
  const sign = space.put(isShort ? Uint16Array.from(columns.sign) : columns.sign)
  const power = space.put(isShort ? Int16Array.from(columns.power) : columns.power)
  const slow = space.alloc(4 * width)
  const exact = isShort ? space.x.exact16 : space.x.exact32
  return (words: number, out: number, count: number, rows: ExactMap, first: number): void => {
    for (let r = 0; r < count; r++) {
      const [rowSign, rowPower] = [rows.sign[first + r], rows.power[first + r]]
      const at = words + r * width * size
      const to = out + r * width * size
      // Steps of sixteen bytes go a little beyond a row's end, where the next row is written after it.
      const left = exact(at, from, sign, power, rowSign, rowPower, width, shift, exponents, slow, to)
      if (left === 0) continue
      const places = new Uint32Array(space.x.memory.buffer, slow, left)
      finish(type, space, to, places, rowPower, columns, tally)
    }
  }
}

/** Those of a row whose exponent is at an end; they have their signs already. */
function finish(
  type: WordType,
  space: Workspace,
  row: number,
  places: Uint32Array,
  rowPower: number,
  { power }: ExactMap,
  tally: Tally,
): void {
  const { buffer } = space.x.memory
  const words = wordBytes[type] === 2 ? new Uint16Array(buffer, row) : new Uint32Array(buffer, row)
  for (const j of places) words[j] = slowly(type, words[j], power[j] + rowPower, tally)
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
