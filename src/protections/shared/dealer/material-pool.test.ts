import { expect, test } from 'vitest'
import { MaterialPool } from './material-pool.ts'

const limits = { materialAheadBytes: 50, materialBytesPerPeer: 100, materialBytes: 200, unusedMs: 30 }

/** Sends for a session until it has to wait. */
function fill(pool: MaterialPool, peer: string, evicted: string[], name = peer) {
  const account = pool.open(peer, () => {
    evicted.push(name)
    account.close()
  })
  while (account.hasRoom) account.sent(10)
  return account
}

test('what is dealt ahead is bounded for a session, an address and in all', () => {
  const pool = new MaterialPool(limits)
  for (let n = 0; n < 8; n++) fill(pool, 'office', [])
  expect(pool.held).toBe(100)
  for (let n = 0; n < 8; n++) fill(pool, `visitor ${n}`, [])
  expect(pool.held).toBe(200)
})

test('whoever waits goes on when others use or leave theirs', async () => {
  const pool = new MaterialPool(limits)
  const [first, second] = [fill(pool, 'a', []), fill(pool, 'a', [])]
  const third = pool.open('a', () => undefined)
  const waiting = third.room(() => false)
  first.used(10)
  await waiting
  third.sent(10)
  const again = third.room(() => false)
  second.close()
  await again
  second.used(1000)
  expect(pool.held).toBe(50)
})

test('material that nobody uses makes room, the longest unused first, and only where somebody waits', () => {
  let now = 0
  const pool = new MaterialPool(limits, () => now)
  const evicted: string[] = []
  fill(pool, 'a', evicted, 'old')
  now = 10
  const busy = fill(pool, 'a', evicted, 'busy')
  fill(pool, 'b', evicted)
  now = 40
  busy.used(10)
  busy.sent(10)
  pool.evictUnused()
  expect(evicted).toEqual([])
  void pool.open('a', () => evicted.push('new')).room(() => false)
  pool.evictUnused()
  expect(evicted).toEqual(['old'])
  pool.evictUnused()
  expect(evicted).toEqual(['old'])
})
