import { expect, test } from 'vitest'
import { isNearServer, shortestPing } from './nearness.ts'

/** A server that takes so long for each answer. */
function server(delays: readonly number[]) {
  let time = 0
  let n = 0
  const fetch = async (): Promise<Response> => {
    const delay = delays[n++ % delays.length]
    if (delay < 0) throw new TypeError('cut')
    time += delay
    return new Response('')
  }
  return shortestPing('http://server.example', fetch as typeof globalThis.fetch, () => time)
}

test('a near server that is slow now and then is near; a far one is not', async () => {
  expect(await server([80, 45, 3, 60, 70])).toBe(3)
  expect(await server([140, 90, 95])).toBe(90)
})

test('what is cut off says nothing', async () => {
  expect(await server([-1])).toBe(Number.POSITIVE_INFINITY)
  expect(await server([30, 20, -1])).toBe(20)
})

test('a busy server is near where nothing but its own delay is in the way, and a far one is far', () => {
  expect(isNearServer([40, 3], 0)).toBe(true)
  expect(isNearServer([40, 31], 0)).toBe(false)
  expect(isNearServer([40, 31], 25)).toBe(true)
  expect(isNearServer([120, 95], 25)).toBe(false)
})
