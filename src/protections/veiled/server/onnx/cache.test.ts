import { expect, test } from 'vitest'
import { Cache } from './cache.ts'

const sizes = { layers: 1, kvHeads: 2, width: 1, context: 1024 }
/** Bytes of 1024 tokens. */
const BUDGET = 8 * 2 * 1024

test('where a long text has left, or begun anew, others get its room', () => {
  const cache = new Cache(sizes, BUDGET)
  const [long, short] = [cache.take(), cache.take()]
  cache.reserve(long, 400)
  cache.reserve(short, 10)
  expect(cache.room).toBe(512)
  expect(() => cache.take()).toThrow(expect.objectContaining({ code: 'too-many-sessions' }))
  cache.view(0, 1, short, 1).fill(7, 512, 522)
  cache.reserve(long, 20)
  expect([cache.take(), cache.take()]).toEqual([2, 3])
  expect(cache.room).toBe(64)
  // What the short text has cached is where it was, for each head.
  const kept = cache.view(0, 1, short, 1)
  expect([...kept.subarray(63, 75)]).toEqual([0, ...new Array<number>(10).fill(7), 0])
})

test('no text gets more room than there is memory for all places', () => {
  const cache = new Cache(sizes, BUDGET)
  const [one, two] = [cache.take(), cache.take()]
  cache.reserve(one, 512)
  expect(() => cache.reserve(two, 513)).toThrow(expect.objectContaining({ code: 'too-many-sessions' }))
  cache.reserve(two, 512)
  cache.release(one)
  cache.release(two)
  expect(cache.room).toBe(0)
})
