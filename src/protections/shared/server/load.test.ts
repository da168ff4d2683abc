import { expect, test } from 'vitest'
import { Load } from './load.ts'

test('what keeps the thread shows in four digits, and an idle thread as little', async () => {
  const load = new Load()
  try {
    expect(load.delay).toMatch(/^\d{4}$/)
    // Whatever else the machine does, the thread is kept for longer each time.
    await expect
      .poll(
        () => {
          for (const until = performance.now() + 60; performance.now() < until; );
          return Number(load.delay)
        },
        { interval: 1 },
      )
      .toBeGreaterThan(20)
  } finally {
    load.stop()
  }
})
