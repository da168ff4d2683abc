import { expect, test } from 'vitest'
import { limits } from '../../../handshake/limits.ts'
import { SessionMaterial } from './session-material.ts'

test('what is read is credited in large amounts, and never so little that the dealer would wait for ever', async () => {
  const credits: number[] = []
  const session = new SessionMaterial({
    modelHash: '',
    transcript: '',
    claimMs: 60_000,
    credit: (bytes) => credits.push(bytes),
    begun: () => undefined,
    used: () => undefined,
    onEnd: () => undefined,
  })
  const size = 48 * 1024
  const chunks = Math.ceil((5 * limits.creditBytes) / size)
  const credited = () => credits.reduce((sum, n) => sum + n, 0)
  for (let i = 1; i <= chunks; i++) {
    // Read, waited for, and thrown away.
    const read = i % 3 === 0 ? session.next(1) : undefined
    session.chunk(i % 3 === 1 ? 2 : 1, new Uint8Array(size))
    if (i % 3 === 2) await session.next(1)
    await read
    if (i === chunks) session.discard(2)
  }
  expect(credits.length).toBeLessThanOrEqual(5)
  expect(credited()).toBeGreaterThan(chunks * size - limits.creditBytes)
  expect(credited()).toBeLessThanOrEqual(chunks * size)
  expect(limits.creditBytes).toBeLessThan(limits.materialAheadBytes / 8)
  session.fail(new Error('over') as never)
})
