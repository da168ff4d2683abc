/** Real processes that are replaced while somebody talks to them: nothing is lost, and nobody has to ask twice. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Party, PartyProcesses } from '../../test/support/session/party-processes.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import type { OwnerEvent } from '../owner/api.ts'
import type { Padding } from '../owner/chat-options.ts'
import { nodeOwner } from '../owner/node/owner.ts'
import type { Owner } from '../owner/owner.ts'
import { pageConfig } from './page-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'sotto-drain-'))
const parties = new PartyProcesses(folder, { dealer: ['--drain', '600'], server: ['--drain', '600'] })
let owner: Owner
const events: OwnerEvent[] = []

beforeAll(async () => {
  await writeTinyBundle(join(folder, 'models'))
  await parties.start('dealer')
  await parties.start('server')
  const dealer = { url: parties.urlOf('dealer'), key: parties.keyOf('dealer') }
  owner = nodeOwner(pageConfig(parties.urlOf('server'), dealer))
  await owner.open({ model: 'tiny', link: 'ws' }, (event) => events.push(event))
})

afterAll(async () => {
  await owner?.close()
  await Promise.all([parties.end('dealer'), parties.end('server')])
  rmSync(folder, { recursive: true })
})

const hello = [{ role: 'user' as const, content: 'Hello' }]
const ask = (maxTokens: number, padding: Padding = 'none') =>
  owner.chat(hello, { temperature: 0, topP: 1, maxTokens, padding })
const tokens = () => events.flatMap((event) => (event.type === 'token' ? [event.id] : []))

test.each<Party>(['server', 'dealer'])(
  'a %s that is stopped finishes the reply, and the next message finds its successor',
  async (party) => {
    const expected = await ask(24)
    expect(expected.ids.length).toBeGreaterThan(8)
    events.length = 0
    const reply = ask(24)
    await expect.poll(() => events.filter(({ type }) => type === 'token').length).toBeGreaterThan(2)
    const ended = parties.end(party, 'SIGTERM')
    expect((await reply).ids).toEqual(expected.ids)
    expect(await ended).toBe(0)
    events.length = 0
    const next = ask(24)
    // It is tried in vain at first: there is nobody.
    await expect.poll(() => events.some((event) => event.type === 'progress')).toBe(true)
    await parties.start(party)
    expect((await next).ids).toEqual(expected.ids)
    expect(events.filter(({ type }) => type === 'token')).toHaveLength(expected.ids.length)
  },
)

test.each<[Party, Padding]>([
  ['server', 'none'],
  ['server', 'blocks'],
  ['dealer', 'blocks'],
])(
  'a %s that dies in the middle of a reply, lengths hidden by %s: its successor goes on where it was, and no word comes twice',
  async (party, padding) => {
    const before = owner.totals().rows
    const expected = await ask(24, padding)
    const rows = owner.totals().rows - before
    events.length = 0
    const reply = ask(24, padding)
    await expect.poll(() => tokens().length).toBeGreaterThan(6)
    await parties.end(party)
    await parties.start(party)
    expect(await reply).toEqual(expected)
    expect(tokens()).toEqual(expected.ids)
    // All that the new session reads is what one that nothing has cut reads, to the row: what is hidden stays so.
    expect(owner.totals().rows).toBe(rows)
  },
)

test('one that is stopped between two replies does not wait for its owners', async () => {
  expect(await parties.end('server', 'SIGTERM')).toBe(0)
  const next = ask(4)
  await parties.start('server')
  expect((await next).ids.length).toBeGreaterThan(0)
})
