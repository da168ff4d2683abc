/** Sessions whose passes have row chunks: giving one up under way, and an owner that lets one row chunk run ahead. */
import { describe, expect, it } from 'vitest'
import { tinyLlama, tinyModel } from '../../../../test/support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { Cancelled } from '../../protection.ts'
import { decodePass, encodeRequest } from './pass-messages.ts'

const config = { ...tinyLlama, layers: 1, dim: 16, heads: 2, kvHeads: 2, ff: 24, context: 80 }
const model = tinyModel(config)
const rows = model.ends.embed(
  Array.from({ length: 40 }, (_, i) => (i * 3 + 2) % config.vocab),
  0,
)

describe('a pass of two row chunks that is given up', () => {
  it.each([2, 3, 4, 5, 6])('after %i messages is followed by the next', async (stopAt) => {
    const session = new WatchedSession(model, fixedKeys(stopAt))
    const stop = new AbortController()
    let messages = 0
    session.onMessage = async ({ from, bytes }) => {
      if (decodePass(bytes).kind === 'data' && messages++ === stopAt) stop.abort()
      // The server still says something about the other row chunk when the owner has given both up.
      if (from === 'server') await new Promise((resolve) => setTimeout(resolve, 5))
      return undefined
    }
    await expect(session.owner.run(0, rows, { signal: stop.signal })).rejects.toThrow(Cancelled)
    const released = await session.owner.run(0, rows)
    expect(released.every(Number.isFinite)).toBe(true)
    await session.link.close()
  })
})

describe('the server refuses', () => {
  it('a row chunk that runs ahead of the other', async () => {
    const honest = new WatchedSession(model, fixedKeys(9))
    await honest.owner.run(0, rows)
    const [request] = honest.requests
    const session = new WatchedSession(model, fixedKeys(9))
    await session.dealer.deal(request, async (chunk) => session.material.put(1, chunk.slice()))
    for (const { from, bytes } of honest.wire) {
      const message = decodePass(bytes)
      if (from === 'owner' && !(message.kind === 'data' && message.rowChunk === 1))
        await session.link.send(bytes, false)
    }
    await expect(session.server).rejects.toMatchObject({ code: 'out-of-turn' })
    await expect(session.server).rejects.toThrow('too far ahead')
  })

  it('a row chunk that there is not', async () => {
    const honest = new WatchedSession(model, fixedKeys(9))
    await honest.owner.run(0, rows)
    const session = new WatchedSession(model, fixedKeys(9))
    await session.dealer.deal(honest.requests[0], async (chunk) => session.material.put(1, chunk.slice()))
    const sent = honest.wire.filter(({ from }) => from === 'owner').map(({ bytes }) => bytes)
    const wrong = sent[1].slice()
    wrong[7] = 2
    await session.link.send(sent[0], false)
    await session.link.send(wrong, false)
    await expect(session.server).rejects.toThrow('Message 1 of row chunk 2')
  })

  it('rows whose numbers no longer differ, as the dealer does', async () => {
    const shape = { base: 0, rows: 40, serial: Number.MAX_SAFE_INTEGER - 30 }
    const session = new WatchedSession(model, fixedKeys(9))
    const dealt = session.dealer.deal(encodeRequest(shape), async () => undefined)
    await expect(dealt).rejects.toMatchObject({ code: 'malformed' })
  })
})
