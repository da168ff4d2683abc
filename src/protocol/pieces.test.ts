import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Pieces } from './pieces.ts'

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
      const whole = new Pieces(pieces)
      expect(whole.length).toBe(bytes.length)
      const [from = 0, to = bytes.length] = seed
        .map((at) => at % (bytes.length + 1))
        .toSorted((a, b) => a - b)
      if (to > from) expect(whole.slice(from, to)).toEqual(bytes.slice(from, to))
      if (size > bytes.length) return
      const offsets = Float64Array.from(seed, (at) => at % (bytes.length - size + 1)).toSorted()
      const want = [...offsets].flatMap((at) => [...bytes.slice(at, at + size)])
      expect([...whole.gather(offsets, size)]).toEqual(want)
    }),
    { numRuns: 300 },
  )
})
