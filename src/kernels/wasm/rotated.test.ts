import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KernelError } from '../error.ts'
import type { Kernels } from '../kernels.ts'
import { createOracleKernels } from '../oracle/kernels.ts'
import { packedBytes } from '../sizes.ts'
import { createWasmKernels } from './kernels.ts'

const oracle = createOracleKernels()
const wasm = createWasmKernels()

const wide = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, (1n << 31n) - 1n, 1n << 31n, (1n << 64n) - (1n << 31n), (1n << 64n) - 1n),
)
/** What signed 32 bits hold, mod 2^64. */
const narrow = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((v) => BigInt.asUintN(64, BigInt(v)))

const cases = fc
  .record({
    shift: fc.nat(4),
    entryBits: fc.nat(4),
    words: fc.integer({ min: 1, max: 9 }),
    count: fc.nat(40),
    width: fc.constantFrom(1, 2, 4, 8),
    bits: fc.integer({ min: 1, max: 64 }),
    value: fc.constantFrom(narrow, wide),
  })
  .chain((s) => {
    const n = 2 ** (s.shift + s.entryBits) * s.words
    const bytes = s.count * 2 ** s.entryBits * s.words * s.width
    return fc.record({
      s: fc.constant(s),
      rows: fc.array(s.value, { minLength: n, maxLength: n }),
      masks: fc.array(fc.nat(2 ** (s.shift + s.entryBits) - 1), { minLength: s.count, maxLength: s.count }),
      words: fc.uint8Array({ minLength: bytes, maxLength: bytes }),
    })
  })

function packed(
  kernels: Kernels,
  { s, rows, masks, words }: typeof cases extends fc.Arbitrary<infer T> ? T : never,
): Uint8Array {
  const spec = { shift: s.shift, entries: 2 ** s.entryBits, words: s.words }
  const kept = kernels.keepRotating(BigUint64Array.from(rows), spec)
  const out = new Uint8Array(packedBytes(masks.length * spec.entries * spec.words, s.bits)).fill(99)
  kernels.packRotated(kept, Uint32Array.from(masks), words, s.bits, out)
  kept.free()
  return out
}

test('rotated rows less a keystream equal the oracle', () => {
  fc.assert(
    fc.property(cases, (c) => {
      expect(packed(wasm, c)).toEqual(packed(oracle, c))
    }),
    { numRuns: 200 },
  )
})

test('several pieces equal one row after the other', () => {
  const spec = { shift: 3, entries: 8, words: 5 }
  const rows = BigUint64Array.from({ length: 8 * 40 }, (_, i) => BigInt.asUintN(64, BigInt(1000 - 7 * i)))
  const kept = wasm.keepRotating(rows, spec)
  const masks = Uint32Array.from({ length: 1001 }, (_, i) => (i * 37) % 64)
  const words = Uint8Array.from({ length: 1001 * 40 * 4 }, (_, i) => (i * i) >> 3)
  const out = new Uint8Array((1001 * 40 * 27) / 8)
  wasm.packRotated(kept, masks, words, 27, out)
  masks.forEach((mask, i) => {
    const one = new Uint8Array((40 * 27) / 8)
    wasm.packRotated(kept, Uint32Array.of(mask), words.subarray(i * 160, (i + 1) * 160), 27, one)
    expect(Buffer.compare(one, out.subarray(i * one.length, (i + 1) * one.length))).toBe(0)
  })
})

describe('refused are', () => {
  const spec = { shift: 1, entries: 2, words: 1 }
  const rows = BigUint64Array.of(1n, 2n, 3n, 4n)
  const pack = (kernels: Kernels, kept = kernels.keepRotating(rows, spec), mask = 0, bytes = 2): void =>
    kernels.packRotated(kept, Uint32Array.of(mask), new Uint8Array(4), 8, new Uint8Array(bytes))

  test.each([oracle, wasm])('rows and masks that do not fit ($name)', (kernels) => {
    expect(() => kernels.keepRotating(rows, { ...spec, words: 2 })).toThrow(KernelError)
    expect(() => pack(kernels, undefined, 4)).toThrow(/has no row/)
    expect(() => pack(kernels, undefined, 0, 3)).toThrow(KernelError)
  })

  test.each([oracle, wasm])('rows that were freed, or that others keep ($name)', (kernels) => {
    const kept = kernels.keepRotating(rows, spec)
    kept.free()
    kept.free()
    expect(() => pack(kernels, kept)).toThrow(/freed/)
    expect(() => pack(kernels, (kernels === wasm ? oracle : wasm).keepRotating(rows, spec))).toThrow(/other/)
  })
})
