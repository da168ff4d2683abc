import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { memoryPair } from '../../test/support/transport/memory.ts'
import { watchIdle } from './idle.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a silent link is closed, one with messages is not', async () => {
  const [near, far] = memoryPair()
  const watched = watchIdle(near, 1000)
  vi.advanceTimersByTime(900)
  await far.send(new Uint8Array(1), true)
  await watched.receive()
  vi.advanceTimersByTime(900)
  const next = watched.receive()
  next.catch(() => undefined)
  vi.advanceTimersByTime(200)
  await expect(next).rejects.toMatchObject({ name: 'LinkError' })
  expect(vi.getTimerCount()).toBe(0)
})

test('a link that the other side has ended leaves no timer', async () => {
  const [near, far] = memoryPair()
  const watched = watchIdle(near, 1000)
  const next = watched.receive()
  next.catch(() => undefined)
  await far.close()
  await expect(next).rejects.toMatchObject({ name: 'LinkError' })
  expect(vi.getTimerCount()).toBe(0)
})
