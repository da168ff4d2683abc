/** Matrices rewritten in pieces, against each row and column mapped by itself. */
import { expect, test } from 'vitest'
import { fromHalf, toHalf } from '../../src/model/files/float16.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { factors, permuted, rotated, signed } from '../../src/protections/veiled/basis.ts'
import {
  apply,
  asMonomial,
  chain,
  type LinearMap,
  monomial,
} from '../../src/protections/veiled/linear-map.ts'
import { SecretStream } from '../../src/protections/veiled/secret-stream.ts'
import type { Tally } from './exact-words.ts'
import { byPanels } from './panels.ts'
import { rewrite } from './rewrite.ts'
import type { Rewriting } from './rewriting.ts'
import { narrow, type WordType, widen, wordBytes, wordsOf } from './words.ts'
import { withWorkspace } from './workspace.ts'

const secret = (): SecretStream => new SecretStream(new Uint8Array(32).fill(3), 'rewrite')
const each = (size: number): Uint32Array => Uint32Array.from({ length: size }, (_, i) => i)

/** Of every kind, for so many components: a multiple of 24. */
const kinds: Record<string, (size: number) => LinearMap> = {
  permuted: (size) => permuted(secret(), size),
  'powers of two': (size) =>
    chain(signed(secret(), size), monomial(each(size), factors(secret(), size, true))),
  factors: (size) => chain(signed(secret(), size), monomial(each(size), factors(secret(), size, false))),
  rotated: (size) => rotated(secret(), size),
  pairs: (size) => ({
    size,
    steps: [
      {
        kind: 'pairs',
        head: 8,
        re: Float64Array.from({ length: size / 2 }, (_, i) => Math.cos(i)),
        im: Float64Array.from({ length: size / 2 }, (_, i) => Math.sin(i)),
      },
    ],
  }),
}

interface Matrix {
  bytes: Uint8Array<ArrayBuffer>
  values: Float64Array
}

function matrix(type: WordType, length: number): Matrix {
  const random = new PredictableRandom(5)
  const drawn = Float64Array.from({ length }, () => random.normal())
  const bytes = new Uint8Array(length * wordBytes[type])
  narrow(type, drawn, 0, 1, length, wordsOf(type, bytes), 0)
  return { bytes, values: widened(type, bytes) }
}

function widened(type: WordType, bytes: Uint8Array<ArrayBuffer>): Float64Array {
  const out = new Float64Array(bytes.length / wordBytes[type])
  widen(type, wordsOf(type, bytes), 0, out.length, 1, out, 0, 1)
  return out
}

/** What each vector alone is mapped to: columns first, then rows. */
function mapped({ values }: Matrix, rows: LinearMap, columns: LinearMap): Float64Array {
  const width = columns.size
  const out = values.slice()
  for (let r = 0; r < rows.size; r++)
    out.set(apply(columns, out.slice(r * width, (r + 1) * width)), r * width)
  for (let c = 0; c < width; c++)
    apply(
      rows,
      Float64Array.from({ length: rows.size }, (_, r) => out[r * width + c]),
    ).forEach((value, r) => {
      out[r * width + c] = value
    })
  return out
}

const tolerance: Record<WordType, number> = { F16: 2 ** -10, BF16: 2 ** -7, F32: 2 ** -22, F64: 1e-14 }

function run(task: Omit<Rewriting, 'read' | 'write'>, bytes: Uint8Array, panelBytes?: number) {
  const out = new Uint8Array(bytes.length)
  const tally: Tally = { rounded: 0, lost: 0 }
  const whole: Rewriting = {
    ...task,
    read: (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
    write: (offset, part) => out.set(part, offset),
  }
  if (panelBytes === undefined) rewrite(whole, tally)
  else withWorkspace(task.type, (space) => byPanels(whole, space, tally, panelBytes))
  return { out, tally }
}

const types = ['F16', 'BF16', 'F32', 'F64'] as const
const pairsOfKinds = Object.keys(kinds).flatMap((a) => Object.keys(kinds).map((b) => [a, b] as const))

test.each(pairsOfKinds)('rows %s, columns %s: as each vector alone', (a, b) => {
  for (const type of types)
    for (const [height, width] of [
      [48, 72],
      [24, 24],
    ]) {
      const [rows, columns] = [kinds[a](height), kinds[b](width)]
      const from = matrix(type, height * width)
      const want = mapped(from, rows, columns)
      // A panel of a few columns, so that there are several, the last of them not full.
      for (const panelBytes of [undefined, height * 64 * 2]) {
        const { out, tally } = run({ type, rows, columns }, from.bytes, panelBytes)
        const got = widened(type, out)
        const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i])), 0)
        expect(worst).toBeLessThan(tolerance[type] * 8)
        expect(tally.lost).toBe(0)
      }
    }
})

test('a vector is a row', () => {
  const columns = kinds.rotated(72)
  const from = matrix('F32', 72)
  const { out } = run({ type: 'F32', rows: { size: 1, steps: [] }, columns }, from.bytes)
  const want = apply(columns, from.values.slice())
  expect(Math.max(...widened('F32', out).map((value, i) => Math.abs(value - want[i])))).toBeLessThan(1e-6)
})

test('signs and powers of two lose no bit of any half but of subnormals', () => {
  const words = Uint16Array.from({ length: 1 << 16 }, (_, word) => word).filter(
    (word) => (word & 0x7c00) < 0x7800,
  )
  const scale = new Float64Array(words.length).map((_, i) => [-2, -0.5, 1, 2, 0.5][i % 5])
  const columns = monomial(secret().permutation(words.length), scale)
  const { out, tally } = run(
    { type: 'F16', rows: { size: 1, steps: [] }, columns },
    new Uint8Array(words.buffer),
  )
  const got = new Uint16Array(out.buffer)
  const { from } = asMonomial(columns)!
  let rounded = 0
  got.forEach((word, j) => {
    const want = fromHalf(words[from[j]]) * scale[j]
    if (fromHalf(word) === want) return
    rounded++
    expect(word).toBe(toHalf(want))
    expect(Math.abs(want)).toBeLessThan(2 ** -14)
  })
  expect(tally).toEqual({ rounded, lost: 0 })
  expect(rounded).toBeGreaterThan(0)
})

test('what becomes too large is counted, in words and in floats', () => {
  const large = new Uint8Array(Uint16Array.of(0x7bff, 0x3c00, 0x7bff, 0x3c00).buffer)
  for (const scale of [2, 1.5]) {
    const columns = monomial(each(4), new Float64Array(4).fill(scale))
    const { tally } = run({ type: 'F16', rows: { size: 1, steps: [] }, columns }, large)
    expect(tally.lost).toBe(2)
  }
})

test('halves are rounded to nearest, ties to even', () => {
  const random = new PredictableRandom(6)
  const values = Float64Array.from({ length: 4096 }, () => random.normal() * 2 ** (random.below(24) - 16))
  const bytes = new Uint8Array(values.length * 2)
  narrow('F16', values, 0, 1, values.length, wordsOf('F16', bytes), 0)
  const [one] = [monomial(each(values.length), new Float64Array(values.length).fill(0.75))]
  const { out } = run({ type: 'F16', rows: { size: 1, steps: [] }, columns: one }, bytes)
  const got = new Uint16Array(out.buffer)
  const from = widened('F16', bytes)
  got.forEach((word, i) => {
    expect(word).toBe(toHalf(0.75 * from[i]))
  })
})
