import { expect, it } from 'vitest'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import { Rotations } from '../tables/rotations.ts'
import { packerOf, subtractBytes } from './corrections.ts'

it('subtracts every byte from every value, without a borrow', () => {
  // Lengths that are no whole words, and neighbours of all kinds.
  for (let value = 0; value < 256; value++) {
    const bytes = Uint8Array.from({ length: 259 }, (_, i) => (i * 77 + value) & 255)
    const want = bytes.map((b) => value - b)
    subtractBytes(value, bytes)
    expect(bytes).toEqual(want)
  }
})

it('packs rotated rows as it packs the same rows filled in', () => {
  const kernels = createWasmKernels()
  const tables = new Rotations({ shift: 3, entries: 4, words: 2 }, (place, out) => {
    for (let k = 0; k < out.length; k++) out[k] = place * 1000 - 7 * k
  })
  const keystream = Uint8Array.from({ length: 5 * 8 * 8 }, (_, i) => i * i)
  // New places become known between one use and the next.
  for (const masks of [
    [0, 9, 31, 9, 1],
    [8, 17, 0, 30, 22],
    [26, 3, 4, 5, 6],
  ]) {
    const dealt = tables.dealt(Uint32Array.from(masks))
    const { fill } = dealt
    const [rotated, filled] = [dealt, { fill }].map((value) => {
      const out = new Uint8Array(5 * 37)
      packerOf(kernels, value, 8, 37)(0, 5, keystream, out)
      return out
    })
    expect(rotated).toEqual(filled)
  }
})
