/** The owner's end of a session with a veiled model: requests that are given up, and servers that say what the key does not. */
import { expect, test } from 'vitest'
import { toBase64Url } from '../../handshake/encoding.ts'
import { type Link, newTraffic } from '../../transport/link.ts'
import { type ConnectRequest, ProtectionError } from '../protection.ts'
import { connectVeiled } from './connect.ts'
import { VeiledConnection } from './connection.ts'
import type { Kit } from './kit.ts'
import type { VeiledListing } from './listing.ts'
import { CANCELLED, decodeRequest } from './messages.ts'
import { OwnerEnds } from './owner-ends.ts'

const keyId = '0'.repeat(32)
const kit: Kit = {
  format: 'sotto-veil-kit/1',
  key: {
    ...{ format: 'sotto-veil-owner/1', keyId, tenant: 't', created: '2026-01-02T03:04:05Z', group: 'bits' },
    ...{
      family: 'gpt2',
      ends: { tokens: { kind: 'items', size: 8, seed: toBase64Url(new Uint8Array(32)) } },
    },
  } as Kit['key'],
  texts: { format: 'sotto-veil-texts/1', name: 'm', continuesText: true, context: 64 } as Kit['texts'],
  tokenizer: {},
}
const facts = (vocab: number): VeiledListing => ({
  ...{ kind: 'decoder', keyId, engine: 'e', maxTokens: 8, vocab, top: 4 },
})

/** A server that answers when it is told to; `onSend` hears of each message before it is on its way. */
function connected(onSend: (kind: string) => void) {
  const sent: string[] = []
  let answer: (bytes: Uint8Array) => void = () => undefined
  const link: Link = {
    kind: 'memory',
    async send(message) {
      const { kind } = decodeRequest(message)
      sent.push(kind)
      onSend(kind)
    },
    receive: () =>
      new Promise((resolve) => {
        answer = resolve
      }),
    close: async () => undefined,
    traffic: newTraffic(),
  }
  const ends = new OwnerEnds(kit.key)
  const connection = new VeiledConnection({
    ...{ sessionId: '', link, reason: '', kit, ends, facts: facts(8) },
  })
  return { connection, sent, answer: (bytes: Uint8Array) => answer(bytes) }
}

test('a request that is given up while it is on its way is cancelled at the server', async () => {
  const stop = new AbortController()
  const { connection, sent } = connected((kind) => kind === 'tokens' && stop.abort())
  await expect(connection.run(0, { ids: [1] }, { signal: stop.signal })).rejects.toMatchObject({
    name: 'Cancelled',
  })
  expect(sent).toEqual(['tokens', 'cancel'])
})

test('a request that is given up while an old answer is awaited is never sent', async () => {
  const first = new AbortController()
  const { connection, sent, answer } = connected((kind) => kind === 'tokens' && first.abort())
  await expect(connection.run(0, { ids: [1] }, { signal: first.signal })).rejects.toThrow()
  const second = new AbortController()
  const run = connection.run(0, { ids: [2] }, { signal: second.signal })
  second.abort()
  answer(CANCELLED)
  await expect(run).rejects.toMatchObject({ name: 'Cancelled' })
  expect(sent).toEqual(['tokens', 'cancel'])
})

test('a model of another size than the key’s is refused before anybody is asked', async () => {
  const request = {
    listing: { name: 'm', hash: '', ...facts(9) },
    settings: { kits: { [keyId]: kit } },
    server: 'http://127.0.0.1:1',
    surroundings: { connect: {} },
    onEvent: () => undefined,
  } as object as ConnectRequest
  const refused = connectVeiled(request)
  await expect(refused).rejects.toBeInstanceOf(ProtectionError)
  await expect(refused).rejects.toThrow('9 tokens, and the key is for 8')
})
