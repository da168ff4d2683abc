import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import type { ContractionTerm } from './contraction.ts'
import { KernelError } from './error.ts'
import type { Kernels } from './kernels.ts'
import { type LaneArray, type LaneWidth, laneArray, widened, widthOf } from './lanes.ts'
import json from './narrow-vectors.json'
import type { NarrowVectors } from './narrow-vectors.ts'
import { createNodeKernels } from './node/kernels.ts'
import { createOracleKernels } from './oracle/kernels.ts'
import { makeNarrowVectors, sumTimes } from './oracle/narrow-vectors.ts'
import { hexWords } from './vectors.ts'
import { createWasmKernels } from './wasm/kernels.ts'

const vectors = json as unknown as NarrowVectors

test('narrow-vectors.json is what the oracle makes', () => {
  expect(JSON.parse(JSON.stringify(makeNarrowVectors()))).toEqual(json)
})

const hexOf = (lanes: LaneArray | Uint8Array): string =>
  bytesToHex(new Uint8Array(lanes.buffer, lanes.byteOffset, lanes.byteLength))

function lanesOfHex(hex: string, width: LaneWidth): LaneArray {
  const bytes = hexToBytes(hex)
  return laneArray(width, (8 * bytes.length) / width, bytes.buffer)
}

function contracted(kernels: Kernels, v: NarrowVectors['contract'][number], isNarrow: boolean): string {
  const lanes = (hex: string): LaneArray => {
    const own = lanesOfHex(hex, v.width)
    return isNarrow ? own : widened(own)
  }
  const terms = v.terms.map(([l, r]): ContractionTerm => [lanes(l), lanes(r)])
  const out = kernels.contract(v.kind, terms, v.o, v.width)
  expect(widthOf(out)).toBe(v.width)
  return hexOf(out)
}

async function multiplied(kernels: Kernels, v: NarrowVectors['small'][number]): Promise<string[]> {
  const matrix = kernels.load(new Int8Array(hexToBytes(v.b).buffer), v.k, v.n)
  const a = hexWords(v.a)
  const few = kernels.matmul(a, v.m, matrix, v.bits)
  // Few rows, again and again, are many.
  const times = 10
  const rows = new BigUint64Array(times * a.length)
  for (let i = 0; i < times; i++) rows.set(a, i * a.length)
  const many = await kernels.matmulAsync?.(rows, times * v.m, matrix, v.bits)
  matrix.free()
  return [hexOf(few), hexOf(many?.subarray(-few.length) ?? few)]
}

function rotated(kernels: Kernels, v: NarrowVectors['rotate'][number]): string {
  const rows = kernels.keepRotating(hexWords(v.rows), v.spec)
  const out = new Uint8Array(v.out.length / 2)
  kernels.packRotated(rows, Uint32Array.from(v.masks), hexToBytes(v.words), v.bits, out)
  rows.free()
  return bytesToHex(out)
}

function evaluated(kernels: Kernels, v: NarrowVectors['program'][number]): string[] {
  const lanes = [v.x, v.y, v.z].map((hex) => lanesOfHex(hex, v.width))
  return kernels.evaluate(sumTimes(v.width, v.bits, v.shift), lanes, 9).map(hexOf)
}

describe.each<Kernels>([createOracleKernels(), createWasmKernels(), createNodeKernels()])(
  '$name',
  (kernels) => {
    test.each(vectors.contract)('$kind in lanes of $width', (v) => {
      expect(contracted(kernels, v, false)).toBe(v.out)
      expect(contracted(kernels, v, true)).toBe(v.out)
    })

    test.each(vectors.small)('small weights mod 2^$bits', async (v) => {
      expect(await multiplied(kernels, v)).toEqual([v.y, v.y])
    })

    test.each(vectors.rotate)('rotated tables of $bits bits', (v) => {
      expect(rotated(kernels, v)).toBe(v.out)
    })

    test.each(vectors.program)('programs of $bits bits in lanes of $width', (v) => {
      expect(evaluated(kernels, v)).toEqual([v.lanes, v.packed])
    })

    test.each(vectors.refused.map((v, i) => ({ ...v, i })))('refuses $of, $i', async (change) => {
      const { of, at } = change
      const call = async (): Promise<unknown> => {
        if (of === 'contract') return contracted(kernels, { ...vectors.contract[at], ...change }, false)
        if (of === 'small') return multiplied(kernels, { ...vectors.small[at], ...change })
        if (of === 'rotate') return rotated(kernels, { ...vectors.rotate[at], ...change })
        return evaluated(kernels, { ...vectors.program[at], ...change })
      }
      await expect(call()).rejects.toThrow(KernelError)
    })
  },
)
