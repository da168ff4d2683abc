import { expect, it } from 'vitest'
import { tinyLlama, tinyModel } from '../../../../test/support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { encodeRequest } from './pass-messages.ts'

const model = tinyModel(tinyLlama)
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
