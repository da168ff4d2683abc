import { expect, test } from 'vitest'
import { Backoff } from './backoff.ts'

test('waits grow, also where connections are accepted and dropped, and begin anew after one that lasted', () => {
  let now = 0
  const backoff = new Backoff(() => now)
  const lasting = (ms: number) => {
    backoff.connected()
    now += ms
    return backoff.next()
  }
  expect([lasting(10), lasting(10), backoff.next(), lasting(9_999)]).toEqual([200, 400, 800, 1600])
  expect([lasting(10), lasting(10), lasting(10)]).toEqual([3200, 5000, 5000])
  expect([lasting(10_000), lasting(10)]).toEqual([200, 400])
})
