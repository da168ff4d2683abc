/** Whoever sits between two parties, knows their public keys and changes what they say, is found out. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { closeLinks, openLink } from '../../../../test/support/session/owner.ts'
import { type Parties, startParties } from '../../../../test/support/session/parties.ts'
import { memoryPair } from '../../../../test/support/transport/memory.ts'
import { type Identity, newEphemeral } from '../../../handshake/crypto.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../../handshake/encoding.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'
import type { Link } from '../../../transport/link.ts'
import { greetServer, openSession } from './agreement.ts'
import { acceptServer, greetDealer } from './material-handshake.ts'

let parties: Parties
beforeAll(async () => {
  parties = await startParties()
})
afterEach(closeLinks)
afterAll(() => parties.close())

const flipped = (text: string): string => {
  const bytes = fromBase64Url(text, text.length > 43 ? 64 : 32)
  bytes[0] ^= 1
  return toBase64Url(bytes)
}

describe('what the dealer answers', () => {
  /** An owner between whom and the dealer somebody edits the answer. */
  const edited = (edit: (answer: Record<string, string>) => unknown) => {
    const between: typeof fetch = async (url, init) => {
      const answer = (await (await fetch(url, init)).json()) as Record<string, string>
      await edit(answer)
      return new Response(JSON.stringify(answer))
    }
    return openSession(parties.request({ fetch: between }))
  }

  test('is taken as it is', async () => {
    await expect(edited(() => undefined)).resolves.toHaveProperty('seed')
  })

  test.each<[string, (answer: Record<string, string>) => unknown]>([
    ['another signature', (a) => (a.signature = flipped(a.signature))],
    ['another session', (a) => (a.sessionId = '00'.repeat(16))],
    [
      'a key of the man in the middle',
      async (a) => (a.dealerEphemeral = toBase64Url((await newEphemeral()).publicKey)),
    ],
  ])('is refused with %s', async (_, edit) => {
    await expect(edited(edit)).rejects.toMatchObject({ code: 'wrong-dealer-key' })
  })
})

describe('what the server greets with', () => {
  /** A link on which somebody edits what comes. */
  const edited = (link: Link, edit: (answer: Record<string, string>) => unknown): Link => ({
    kind: link.kind,
    traffic: link.traffic,
    send: (bytes, reply) => link.send(bytes, reply),
    close: (reason) => link.close(reason),
    receive: async () => {
      const answer = JSON.parse(new TextDecoder().decode(await link.receive())) as Record<string, string>
      edit(answer)
      return utf8(JSON.stringify(answer))
    },
  })

  test.each<[string, (answer: Record<string, string>) => unknown]>([
    ['another signature', (a) => (a.signature = flipped(a.signature))],
    ['another seed of stationary masks', (a) => (a.fSeed = flipped(a.fSeed))],
  ])('is refused with %s', async (_, edit) => {
    const session = await openSession(parties.request())
    const link = edited(await openLink(parties), edit)
    await expect(greetServer(link, session)).rejects.toMatchObject({ code: 'wrong-server-key' })
  })
})

describe('server and dealer', () => {
  /** Knows a public key, and not the private one. */
  const impostor = (of: Identity): Identity => ({ ...newIdentity(), publicKey: of.publicKey })

  test.each<['server' | 'dealer', string]>([
    ['server', 'wrong-server-key'],
    ['dealer', 'wrong-dealer-key'],
  ])('find out who only claims to be the %s', async (who, code) => {
    const [server, dealer] = [newIdentity(), newIdentity()]
    const [one, other] = memoryPair()
    const claimed = { server: who === 'server' ? impostor(server) : server }
    const accepting = acceptServer(other, who === 'dealer' ? impostor(dealer) : dealer, () => true)
    const greeting = greetDealer(one, claimed.server, dealer.publicKey, 'one')
    const [found, left] = who === 'server' ? [accepting, greeting] : [greeting, accepting]
    left.catch(() => undefined)
    await expect(found).rejects.toMatchObject({ code })
    await one.close()
  })
})
