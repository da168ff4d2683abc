import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Kernels } from '../../kernels/kernels.ts'
import { createNodeKernels } from '../../kernels/node/kernels.ts'
import { createWasmKernels } from '../../kernels/wasm/kernels.ts'
import { Prg } from './prg.ts'

const key = Uint8Array.from({ length: 32 }, (_, i) => 7 * i)

/** Kernels that count the blocks that were asked for, scattered and in a row. */
function counting(base: Kernels): { kernels: Kernels; scattered(): number; sequential(): number } {
  let [scattered, sequential] = [0, 0]
  const kernels: Kernels = {
    ...base,
    blocks(key, stream, places) {
      scattered += places.length / 3
      return base.blocks(key, stream, places)
    },
    keystream(key, nonce, offset, out) {
      sequential += Math.ceil(out.length / 64)
      base.keystream(key, nonce, offset, out)
    },
  }
  return { kernels, scattered: () => scattered, sequential: () => sequential }
}

/** Tables of so many bytes of 16-bit words, of which one word each is read. */
function tables(bytes: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (i * bytes) / 2 + ((i * 5) % (bytes / 2)))
}

it('windows are the elements that the whole stream has there, however close they lie', () => {
  const shape = fc.record({
    bits: fc.integer({ min: 1, max: 64 }),
    n: fc.integer({ min: 1, max: 20 }),
    stride: fc.constantFrom(1, 4, 8, 16, 64, 100),
    counts: fc.array(fc.nat(30), { maxLength: 4 }),
    skip: fc.nat(100),
    seed: fc.nat(),
    isNode: fc.boolean(),
  })
  const [wasm, node] = [createWasmKernels(), createNodeKernels()]
  fc.assert(
    fc.property(shape, ({ bits, n, stride, counts, skip, seed, isNode }) => {
      const prg = new Prg(isNode ? node : wasm, key)
      const rows = counts.map((count, i) => ({ serial: 2 ** 32 - 2 + i, count }))
      const firsts = counts.flatMap((count) =>
        Array.from({ length: count }, (_, i) => skip + i * (stride + n) + ((seed + i * 7) % (stride + 1))),
      )
      const want = rows.flatMap(({ serial, count }, r) => {
        const before = counts.slice(0, r).reduce((a, b) => a + b, 0)
        const own = firsts.slice(before, before + count)
        const all = new BigUint64Array(Math.max(0, ...own) + n)
        prg.fill(9, serial, bits, all, 0, all.length)
        return own.flatMap((first) => [...all.subarray(first, first + n)])
      })
      expect([...prg.windows(9, rows, Float64Array.from(firsts), n, bits)]).toEqual(want)
    }),
    { numRuns: 200 },
  )
})

it('small tables are read in a row, large ones by scattered blocks', () => {
  const rows = [{ serial: 3, count: 1000 }]
  for (const [base, most] of [
    [createWasmKernels(), 64],
    [createNodeKernels(), 128],
  ] as const)
    for (const bytes of [8, 32, 64, 128, 256]) {
      const { kernels, scattered, sequential } = counting(base)
      new Prg(kernels, key).windows(1, rows, tables(bytes, 1000), 1, 16)
      const isSequential = bytes <= most
      expect(scattered()).toBe(isSequential ? 0 : 1000)
      // the last table's end is not read
      if (isSequential) expect(sequential()).toBeCloseTo((1000 * bytes) / 64, -1)
      else expect(sequential()).toBe(0)
    }
})
