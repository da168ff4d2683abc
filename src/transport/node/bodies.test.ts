import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { Bodies } from './bodies.ts'

test('room is bounded for each address and in all, and comes back', () => {
  const bodies = new Bodies()
  const size = String(limits.postBytes)
  const first = bodies.take(size, 'a')
  expect(first).toBeDefined()
  // Without an announced length, or with one that is none, the largest is assumed.
  expect(bodies.take(undefined, 'a')).toBeDefined()
  expect(bodies.take('1', 'a')).toBeUndefined()
  expect(bodies.take('rubbish', 'b')).toBeDefined()
  expect(bodies.take('-5', 'b')).toBeDefined()
  expect(bodies.take(size, 'c')).toBeDefined()
  expect(bodies.take(size, 'd')).toBeUndefined()
  first?.()
  expect(bodies.take(size, 'd')).toBeDefined()
  expect(bodies.take('0', 'a')).toBeDefined()
})
