import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Rope } from './rope.ts'

const cut = fc.record({
  bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  lengths: fc.array(fc.integer({ min: 1, max: 40 })),
  size: fc.integer({ min: 1, max: 30 }),
  seed: fc.array(fc.nat(300), { maxLength: 20 }),
})

it('whole and in pieces, the bytes are the same', () => {
  fc.assert(
    fc.property(cut, ({ bytes, lengths, size, seed }) => {
      const pieces: Uint8Array[] = []
      let rest = bytes
      for (const n of [...lengths, rest.length]) {
        if (rest.length > 0) pieces.push(rest.slice(0, n))
        rest = rest.subarray(n)
      }
      const whole = new Rope(pieces)
      expect(whole.length).toBe(bytes.length)
      const [from = 0, to = bytes.length] = seed
        .map((at) => at % (bytes.length + 1))
        .toSorted((a, b) => a - b)
      if (to > from) expect(whole.slice(from, to)).toEqual(bytes.slice(from, to))
      const start = seed.length
      const entries = 1 + (seed.length % 3)
      const tables = Math.floor((bytes.length - start) / (entries * size))
      const index = Uint32Array.from(seed.slice(0, Math.max(0, tables)), (at) => at % entries)
      const want = [...index].flatMap((at, i) => {
        const first = start + (i * entries + at) * size
        return [...bytes.slice(first, first + size)]
      })
      expect([...whole.pick(start, entries, index, size)]).toEqual(want)
    }),
    { numRuns: 300 },
  )
})

it('finds words of any number of bits where they lie, in pieces or whole', () => {
  const bits = fc.integer({ min: 1, max: 64 })
  const words = fc.integer({ min: 1, max: 3 })
  const at = fc.array(fc.nat(7), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(
      bits,
      words,
      at,
      fc.nat(5),
      fc.integer({ min: 1, max: 11 }),
      (bits, words, at, from, piece) => {
        // Eight entries fill whole bytes.
        const table = words * bits
        const bytes = Uint8Array.from({ length: from + at.length * table }, (_, i) => (i * 2654435761) >>> 11)
        const parts = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
          bytes.slice(piece * i, piece * (i + 1)),
        )
        const all = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
        const want = at.flatMap((entry, i) =>
          Array.from({ length: words }, (_, w) =>
            BigInt.asUintN(bits, all >> BigInt(8 * (from + i * table) + (entry * words + w) * bits)),
          ),
        )
        expect([...new Rope(parts).pickBits(from, 8, Uint32Array.from(at), words, bits)]).toEqual(want)
      },
    ),
    { numRuns: 200 },
  )
})
