import { bytesToHex } from '@noble/hashes/utils.js'
import { type Contraction, type ContractionTerm, contractionSizes } from '../contraction.ts'
import { type LaneArray, type LaneWidth, narrowed } from '../lanes.ts'
import type { NarrowVectors } from '../narrow-vectors.ts'
import { program } from '../program.ts'
import type { RotationSpec } from '../rotated.ts'
import { wordsHex } from '../vectors.ts'
import { createOracleKernels } from './kernels.ts'
import { wordSource } from './words.ts'

const kernels = createOracleKernels()
type Words = ReturnType<typeof wordSource>

const hexOf = (lanes: LaneArray): string =>
  bytesToHex(new Uint8Array(lanes.buffer, lanes.byteOffset, lanes.byteLength))

function contractions(words: Words): NarrowVectors['contract'] {
  const shapes: Contraction[] = [
    { rows: 3, seen: 2, step: 1, heads: 4, kvHeads: 2, headDim: 3 },
    { rows: 5, seen: 5, step: 0, heads: 2, kvHeads: 1, headDim: 9 },
  ]
  return ([16, 32, 64] as const).flatMap((width) =>
    shapes.flatMap((o) =>
      (['scores', 'mix'] as const).map((kind) => {
        const { left, right } = contractionSizes(kind, o)
        const terms = [0, 1].map(
          (): ContractionTerm => [narrowed(words(left, width), width), narrowed(words(right, width), width)],
        )
        const out = hexOf(kernels.contract(kind, terms, o, width))
        const hex = terms.map(([l, r]): [string, string] => [hexOf(l), hexOf(r)])
        return { kind, width, o, terms: hex, out }
      }),
    ),
  )
}

/** Signs without and with scales, and integers of 4 bits times scales. */
const ELEMENTS: readonly ((word: bigint, column: number) => number)[] = [
  (word) => (word & 1n ? -1 : 1),
  (word, column) => (word & 1n ? -1 : 1) * [63, 1, 17][column % 3],
  (word, column) => (2 * Number(word % 16n) - 15) * (1 + (column % 4)),
]

function smallMatrices(words: Words): NarrowVectors['small'] {
  const [m, k, n] = [2, 13, 18]
  return [1, 8, 15, 16, 17, 20, 24, 31, 32, 33, 48, 64].flatMap((bits) =>
    ELEMENTS.map((element) => {
      const a = words(m * k, bits)
      const b = Int8Array.from(words(k * n), (word, i) => element(word >> 7n, i % n))
      const y = kernels.matmul(a, m, kernels.load(b, k, n), bits)
      return { bits, m, k, n, a: wordsHex(a), b: bytesToHex(new Uint8Array(b.buffer)), y: wordsHex(y) }
    }),
  )
}

function rotations(words: Words): NarrowVectors['rotate'] {
  const cases: [spec: RotationSpec, bits: number, value: number][] = [
    [{ shift: 2, entries: 8, words: 1 }, 1, 1],
    [{ shift: 1, entries: 16, words: 1 }, 4, 4],
    [{ shift: 0, entries: 16, words: 1 }, 14, 14],
    [{ shift: 3, entries: 8, words: 1 }, 31, 31],
    [{ shift: 1, entries: 8, words: 2 }, 13, 30],
    [{ shift: 1, entries: 8, words: 1 }, 32, 31],
    [{ shift: 1, entries: 8, words: 1 }, 37, 64],
  ]
  return cases.map(([spec, bits, value]) => {
    const rows = words(2 ** spec.shift * spec.entries * spec.words, value)
    const masks = Array.from(words(5), (v) => Number(v % BigInt(2 ** spec.shift * spec.entries)))
    const width = bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8
    const less = new Uint8Array(words(5 * spec.entries * spec.words).buffer)
    const keystream = less.subarray(0, 5 * spec.entries * spec.words * width)
    const out = new Uint8Array((5 * spec.entries * spec.words * bits) / 8)
    kernels.packRotated(kernels.keepRotating(rows, spec), Uint32Array.from(masks), keystream, bits, out)
    return {
      spec,
      rows: wordsHex(rows),
      masks,
      bits,
      words: bytesToHex(keystream),
      out: bytesToHex(out),
    }
  })
}

/** The program of `NarrowVectors.program`. */
export const sumTimes = (width: LaneWidth, bits: number, shift: number) =>
  program((p) => {
    const y = p.reduce(p.mul(p.add(p.lanes(width, bits), p.lanes(width, bits)), p.lanes(width, bits)), bits)
    return [p.out(y, width), p.pack(p.shr(y, shift), Math.max(1, bits - shift))]
  })

function programs(words: Words): NarrowVectors['program'] {
  const cases: [LaneWidth, number, number][] = [
    [16, 1, 0],
    [16, 11, 3],
    [16, 16, 15],
    [32, 8, 2],
    [32, 20, 7],
    [32, 32, 31],
    [64, 16, 5],
    [64, 32, 4],
    [64, 33, 12],
    [64, 64, 1],
  ]
  return cases.map(([width, bits, shift]) => {
    const [x, y, z] = [words(9, bits), words(9, bits), words(9, bits)]
    const operands = [x, y, z].map((lanes) => narrowed(lanes, width))
    const [lanes, packed] = kernels.evaluate(sumTimes(width, bits, shift), operands, 9)
    const [hx, hy, hz] = operands.map(hexOf)
    return { width, bits, shift, x: hx, y: hy, z: hz, lanes: hexOf(lanes), packed: bytesToHex(packed) }
  })
}

/** The vectors of `narrow-vectors.json`, from the oracle alone; raise the version whenever a meaning changes. */
export function makeNarrowVectors(): NarrowVectors {
  const words = wordSource(kernels, 78)
  const [contract, small, rotate] = [contractions(words), smallMatrices(words), rotations(words)]
  const program = programs(words)
  const [first] = contract
  const [left, right] = first.terms[0]
  const word = '00'.repeat(8)
  return {
    version: 1,
    contract,
    small,
    rotate,
    program,
    refused: [
      { of: 'contract', at: 0, terms: [[left + word, right]] },
      { of: 'contract', at: 0, terms: [[left, right.slice(4)]] },
      { of: 'contract', at: 0, o: { ...first.o, kvHeads: 3 } },
      { of: 'contract', at: 0, o: { ...first.o, rows: -1 } },
      { of: 'small', at: 0, a: small[0].a + word },
      { of: 'small', at: 0, b: small[0].b.slice(2) },
      { of: 'small', at: 0, bits: 0 },
      { of: 'small', at: 0, bits: 65 },
      { of: 'rotate', at: 0, masks: [32, 0, 0, 0, 0] },
      { of: 'rotate', at: 0, words: rotate[0].words.slice(2) },
      { of: 'rotate', at: 0, rows: rotate[0].rows + word },
      { of: 'program', at: 0, x: `${program[0].x}0000` },
    ],
  }
}
