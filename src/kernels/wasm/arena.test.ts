import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KernelError } from '../error.ts'
import { Arena } from './arena.ts'

test('spans never overlap, and freeing everything joins them into one again', () => {
  const step = fc.oneof(
    fc.nat(200_000).map((size) => ({ size })),
    fc.nat(50).map((drop) => ({ drop })),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const arena = new Arena(new WebAssembly.Memory({ initial: 1 }), 1000)
      const live: { at: number; size: number }[] = []
      for (const s of steps) {
        if ('size' in s) live.push({ at: arena.alloc(s.size), size: s.size })
        else if (live.length) arena.free(live.splice(s.drop % live.length, 1)[0].at)
      }
      const sorted = live.toSorted((a, b) => a.at - b.at)
      sorted.forEach((span, i) => {
        expect(span.at % 64).toBe(0)
        expect(span.at).toBeGreaterThanOrEqual(1000)
        expect(span.at + span.size).toBeLessThanOrEqual(sorted[i + 1]?.at ?? arena.memory.buffer.byteLength)
      })
      const high = arena.memory.buffer.byteLength
      for (const span of live) arena.free(span.at)
      expect(arena.used).toBe(0)
      arena.alloc(high - 1024)
      expect(arena.memory.buffer.byteLength).toBe(high)
    }),
  )
})

test('running out is a KernelError and leaves the arena usable', () => {
  const arena = new Arena(new WebAssembly.Memory({ initial: 1, maximum: 4 }), 0)
  expect(() => arena.alloc(2 ** 33)).toThrow(KernelError)
  expect(() => arena.alloc(1 << 20)).toThrow(/out of memory/)
  expect(() => arena.free(64)).toThrow(KernelError)
  arena.alloc(200_000)
})
