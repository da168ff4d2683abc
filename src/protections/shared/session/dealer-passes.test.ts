import { expect, it } from 'vitest'
import { tinyBert, tinyEncoder, tinyLlama, tinyModel } from '../../../../test/support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { requestCost } from './pass-cost.ts'
import { encodeRequest } from './pass-messages.ts'

const model = tinyModel(tinyLlama)
const plansOf = (of: ConstructorParameters<typeof WatchedSession>[0]) =>
  new WatchedSession(of, fixedKeys(1)).plans
const request = encodeRequest({ base: 0, rows: 16, serial: 0 })

/** All that a session's dealer streams, with a sink that lets others have their turn. */
async function dealt(keys: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  await new WatchedSession(model, fixedKeys(keys)).dealer.deal(request, async (chunk) => {
    await new Promise((resolve) => setImmediate(resolve))
    chunks.push(chunk.slice())
  })
  return Buffer.concat(chunks)
}

it('sessions that are dealt for at the same time get what each would get alone', async () => {
  const alone = [await dealt(1), await dealt(2)]
  const together = await Promise.all([dealt(1), dealt(2), dealt(1)])
  expect(Buffer.compare(together[0], alone[0])).toBe(0)
  expect(Buffer.compare(together[1], alone[1])).toBe(0)
  expect(Buffer.compare(together[2], alone[0])).toBe(0)
  expect(Buffer.compare(alone[0], alone[1])).not.toBe(0)
})

it('a pass’s declared cost is what is dealt for it, and the rows that it shows', async () => {
  expect(requestCost(plansOf(model), request)).toEqual({
    rows: 1,
    bytes: (await dealt(1)).length,
    rowsIn: 16,
  })
  const classifier = tinyEncoder(tinyBert)
  const asked = encodeRequest({ base: 0, rows: 32, serial: 0 })
  let bytes = 0
  await new WatchedSession(classifier, fixedKeys(1)).dealer.deal(asked, async (chunk) => {
    bytes += chunk.length
  })
  // A classifier shows one row of logits, an encoder without one every row that it reads.
  expect(requestCost(plansOf(classifier), asked)).toEqual({ rows: 1, bytes, rowsIn: 32 })
  const plain = tinyEncoder({ ...tinyBert, head: undefined })
  expect(requestCost(plansOf(plain), asked).rows).toBe(32)
})

it('a request that fits no pass has no cost', () => {
  for (const shape of [
    { base: 0, rows: 65, serial: 0 },
    { base: 2 ** 32 - 1, rows: 1, serial: 0 },
    { base: 0, rows: 2 ** 30 - 1, serial: 0 },
  ])
    expect(() => requestCost(plansOf(model), encodeRequest(shape))).toThrow(/does not fit/)
  expect(() => requestCost(plansOf(model), new Uint8Array(15))).toThrow(/length/)
})
