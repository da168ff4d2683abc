import { expect, it } from 'vitest'
import { tableBits } from './table-bits.ts'

it('is the fewest bits that fill whole bytes with an entry, or a machine word that is hardly wider', () => {
  for (let need = 1; need <= 56; need++)
    for (let words = 1; words <= 12; words++) {
      const bits = tableBits(need, words)
      expect(bits).toBeGreaterThanOrEqual(need)
      expect((bits * words) % 8).toBe(0)
      let least = need
      while ((least * words) % 8 !== 0) least++
      if (bits !== least) expect([8, 32].filter((word) => word === bits && need > 0.8 * word)).toEqual([bits])
    }
})

it('stays within 64 bits', () => {
  for (let need = 57; need <= 64; need++) expect(tableBits(need, 3)).toBe(64)
})
