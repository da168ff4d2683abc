/** The owner's engine against real parties, and what it says where they or the input are not as they should be. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Parties } from '../../test/support/session/parties.ts'
import { startEngineParties } from '../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { pageConfig } from '../cli/page-config.ts'
import { toBase64Url } from '../handshake/encoding.ts'
import { newIdentity } from '../handshake/node/key-file.ts'
import type { SharedSettings } from '../protections/shared/listing.ts'
import type { OwnerEvent } from './api.ts'
import { PROMPT_BLOCK } from './cached-turns.ts'
import { nodePlatform } from './node/platform.ts'
import { Owner } from './owner.ts'
import type { Platform } from './platform.ts'

type Dealer = SharedSettings['dealer']

let folder: string
let parties: Parties
const owners: Owner[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  await writeTinyBundle(folder)
  parties = await startEngineParties(folder)
})
afterEach(async () => {
  for (const owner of owners.splice(0)) await owner.close()
})
afterAll(async () => {
  await parties.close()
  rmSync(folder, { recursive: true })
})

const options = { temperature: 0, topP: 1, seed: 1, maxTokens: 4 }
const hello = [{ role: 'user' as const, content: 'Hello' }]
const typed = (code: string) => expect.objectContaining({ code, advice: expect.stringMatching(/\w/) })

function owner(changes: { server?: string; dealer?: Partial<Dealer>; platform?: Partial<Platform> } = {}) {
  const { dealerUrl, dealerKey } = parties.request()
  const dealer = { url: dealerUrl, key: dealerKey, ...changes.dealer }
  const config = pageConfig(changes.server ?? parties.server.url, dealer, 0)
  const made = new Owner(config, { ...nodePlatform(), ...changes.platform })
  owners.push(made)
  return made
}

const open = (o: Owner, events: OwnerEvent[] = []) =>
  o.open({ model: 'tiny', link: 'ws' }, (e) => events.push(e))

describe('a conversation', () => {
  test('is answered, the same twice, and again after going back', async () => {
    const o = owner()
    const events: OwnerEvent[] = []
    await open(o, events)
    const first = await o.chat(hello, options)
    expect(first.ids.length).toBeGreaterThan(0)
    const tokens = events.flatMap((e) => (e.type === 'token' ? [e.id] : []))
    expect(tokens).toEqual(first.ids)
    const conversation = { ...options, conversation: 'one', reply: 'r1' }
    const [question] = hello.map((message) => ({ ...message, id: 'q1' }))
    expect((await o.chat([question], conversation)).ids).toEqual(first.ids)
    const turn = [
      question,
      { id: 'r1', role: 'assistant' as const, content: first.text },
      { id: 'q2', role: 'user' as const, content: 'And?' },
    ]
    const rows = o.totals().rows
    const next = await o.chat(turn, { ...conversation, reply: 'r2' })
    const read = o.totals().rows - rows
    expect(read).toBeGreaterThan(0)
    // Regenerated: all blocks of the prompt are cached but the last.
    const before = o.totals().rows
    const again = await o.chat(turn, { ...conversation, reply: 'r3' })
    expect(again.ids).toEqual(next.ids)
    expect(o.totals().rows - before).toBe(PROMPT_BLOCK + options.maxTokens - 1)
    // In another conversation everything is read again, and so it is after it.
    await o.chat(turn, { ...conversation, conversation: 'other' })
    expect(o.totals().rows - before).toBeGreaterThan(read)
    const fresh = owner()
    await open(fresh)
    expect((await fresh.chat(hello, options)).ids).toEqual(first.ids)
  })

  test('goes on with a reply that was broken off, with or without the session that began it', async () => {
    const question = { id: 'q', role: 'user' as const, content: 'Hello' }
    const conversation = { ...options, conversation: 'one', maxTokens: 2 }
    const o = owner()
    await open(o)
    const begun = await o.chat([question], { ...conversation, reply: 'r' })
    const broken = [question, { id: 'r', role: 'assistant' as const, content: begun.text }]
    const rest = await o.chat(broken, { ...conversation, reply: 'r' })
    expect(rest.ids.length).toBeGreaterThan(0)
    const fresh = owner()
    await open(fresh)
    expect((await fresh.chat(broken, { ...conversation, reply: 'r' })).ids).toEqual(rest.ids)
    // Afterwards it is one reply, of which nothing is read twice.
    const whole = { id: 'r', role: 'assistant' as const, content: begun.text + rest.text }
    const next = [question, whole, { id: 'n', role: 'user' as const, content: 'And?' }]
    const read = async (o: Owner, name: string) => {
      const before = o.totals().rows
      await o.chat(next, { ...conversation, conversation: name, reply: 's' })
      return o.totals().rows - before
    }
    expect(await read(o, 'one')).toBeLessThanOrEqual(await read(fresh, 'other'))
    const { tokens, most } = await o.measure(question, options)
    expect(tokens).toBeGreaterThan(1)
    expect(tokens).toBeLessThan(most)
  })

  test('is answered without a system prompt where the model takes none, and that is said', async () => {
    const o = owner()
    const events: OwnerEvent[] = []
    const { takesSystem } = await open(o, events)
    expect(takesSystem).toBe(false)
    const { promptTokens } = await o.chat(hello, options)
    const said = () => events.flatMap((e) => (e.type === 'notice' ? [e.text] : []))
    expect(said()).toEqual([])
    const system = { content: 'Be brief.', id: '1' }
    expect((await o.chat(hello, { ...options, system })).promptTokens).toBe(promptTokens)
    expect(said()).toEqual([expect.stringContaining('takes no instructions')])
  })

  test('stops when it is told to, and goes on afterwards', async () => {
    const o = owner()
    await open(o, [])
    const long = { ...options, temperature: 5, maxTokens: 100 }
    const running = o.chat(hello, long)
    await expect(o.chat(hello, options)).rejects.toEqual(typed('busy'))
    setTimeout(() => void o.stop(), 150)
    const { finish } = await running
    expect(['cancelled', 'stop']).toContain(finish)
    expect((await o.chat(hello, options)).finish).not.toBe('cancelled')
  })
})

describe('is refused with advice', () => {
  test('a page whose configuration names no dealer', async () => {
    for (const protections of [undefined, { shared: {} }, { shared: { dealer: { url: 'x', key: 'y' } } }]) {
      const config = { server: parties.server.url, protections }
      const bare = new Owner(config, nodePlatform())
      await expect(open(bare)).rejects.toEqual(typed('page-config'))
    }
  })

  test('a prompt that is longer than the context', async () => {
    const o = owner()
    await open(o)
    const content = 'word '.repeat(2000)
    await expect(o.chat([{ role: 'user', content }], options)).rejects.toEqual(typed('context'))
  })

  test('a model that the server does not have', async () => {
    await expect(owner().open({ model: 'other' }, () => undefined)).rejects.toEqual(typed('unknown-model'))
  })

  test('a model whose files are not those that were announced', async () => {
    const download = async (url: string): Promise<Response> => {
      const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer())
      if (url.endsWith('public.safetensors')) bytes[bytes.length - 1] ^= 1
      return new Response(bytes)
    }
    await expect(open(owner({ platform: { download } }))).rejects.toThrow(/public\.safetensors/)
  })

  test.each<[string, Partial<Dealer>, string]>([
    ['a dealer that is not there', { url: 'http://127.0.0.1:9' }, 'dealer-unreachable'],
    ['a dealer with another key', { key: toBase64Url(newIdentity().publicKey) }, 'wrong-dealer-key'],
    ['a key that is none', { key: 'short' }, 'malformed'],
  ])('%s', async (_, dealer, code) => {
    await expect(open(owner({ dealer }))).rejects.toEqual(typed(code))
  })

  test('a server that is not there', async () => {
    await expect(open(owner({ server: 'http://127.0.0.1:9' }))).rejects.toEqual(typed('server-unreachable'))
  })

  test('a chat before there is a session', async () => {
    await expect(owner().chat(hello, options)).rejects.toEqual(typed('expired'))
  })

  test('a chat after the server has gone, until a new session is opened', async () => {
    const own = await startEngineParties(folder)
    const { dealerUrl, dealerKey } = own.request()
    const config = pageConfig(own.server.url, { url: dealerUrl, key: dealerKey }, 0)
    const o = new Owner(config, nodePlatform())
    owners.push(o)
    await open(o)
    await o.chat(hello, options)
    await own.server.close()
    await expect(o.chat(hello, options)).rejects.toMatchObject({
      code: expect.any(String),
      advice: expect.any(String),
    })
    await expect(o.chat(hello, options)).rejects.toEqual(typed('expired'))
    await own.close().catch(() => undefined)
  })
})
