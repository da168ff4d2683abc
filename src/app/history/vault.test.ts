import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { branchOf } from './tree.ts'

// Before any tab: its modules are made anew, and would bring another disk along.
const { disk, idbKeyval, messages, newBrowser, onDisk, openTab } = await vi.hoisted(
  () => import('../../../test/support/app/tabs.ts'),
)
vi.mock('idb-keyval', () => idbKeyval)

const secret = 'Where does it hurt?'

const bytesOf = (buffer: BufferSource): string => Buffer.from(buffer as Uint8Array).toString('hex')
const sealedOnDisk = (id: string) =>
  disk.tables.get('conversations')?.get(id) as { iv: Uint8Array<ArrayBuffer>; sealed: ArrayBuffer }

beforeEach(newBrowser)
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('what is kept under a passphrase', () => {
  test('is nowhere readable, and comes back with the passphrase and no other', async () => {
    const tab = await openTab()
    const conversation = tab.said(secret)
    await tab.archive.keep(conversation)
    await tab.archive.keepDraft('new', secret, 0)
    expect(onDisk()).toContain(secret)
    // Equal letters, composed otherwise.
    await tab.archive.protect('caf\u00e9 au lait')
    expect(onDisk()).not.toContain(secret)
    // Nothing new is not stored anew.
    const { iv } = sealedOnDisk(conversation.id)
    await tab.archive.keep(conversation)
    expect(sealedOnDisk(conversation.id).iv).toEqual(iv)
    const later = await openTab()
    expect(later.vault.state.state).toBe('locked')
    expect(await later.archive.get(conversation.id)).toBeUndefined()
    await expect(later.vault.unlock('cafe au lait')).rejects.toThrow('not the passphrase')
    expect(later.vault.state.state).toBe('locked')
    await later.vault.unlock('cafe\u0301 au lait')
    expect(branchOf((await later.archive.get(conversation.id))!)[0].content).toBe(secret)
    expect(await later.archive.draft('new')).toBe(secret)
    // A record that stands in another one's place is none.
    disk.tables.get('conversations')!.set('other', sealedOnDisk(conversation.id))
    expect(await later.archive.get('other')).toBeUndefined()
  })

  test('never has a nonce twice, nor twice the same bytes for the same text', async () => {
    const { vault } = await openTab()
    await vault.protect('a passphrase')
    const sealed = await Promise.all(Array.from({ length: 200 }, () => vault.seal('one', secret)))
    const records = sealed as unknown as { iv: Uint8Array<ArrayBuffer>; sealed: ArrayBuffer }[]
    expect(new Set(records.map(({ iv }) => bytesOf(iv))).size).toBe(200)
    expect(new Set(records.map(({ sealed }) => bytesOf(new Uint8Array(sealed)))).size).toBe(200)
    expect(records[0].iv).toHaveLength(12)
  })

  test('cannot be locked out by another passphrase, or stopped from being encrypted, while it is locked', async () => {
    const tab = await openTab()
    const conversation = tab.said(secret)
    await tab.archive.keep(conversation)
    await tab.archive.protect('a passphrase')
    const other = await openTab()
    for (const passphrase of ['another one', undefined])
      await expect(other.archive.protect(passphrase)).rejects.toMatchObject({ name: 'VaultLocked' })
    await other.vault.unlock('a passphrase')
    expect(await other.archive.get(conversation.id)).toBeDefined()
  })
})

describe('a tab that has not heard yet what another one did', () => {
  test('writes nothing readable once there is a passphrase', async () => {
    const [late, tab] = [await openTab(), await openTab()]
    await tab.archive.protect('a passphrase')
    await late.archive.keepDraft('new', secret, 0)
    expect(late.vault.state.state).toBe('locked')
    await late.vault.load()
    await late.archive.keep(late.said(secret))
    await expect(late.vault.seal('one', secret)).rejects.toMatchObject({ name: 'VaultLocked' })
    expect(onDisk()).not.toContain(secret)
    await expect(late.archive.protect('another one')).rejects.toMatchObject({ name: 'VaultLocked' })
  })

  test('writes nothing under a key that is gone', async () => {
    const tab = await openTab()
    await tab.archive.protect('a passphrase')
    const late = await openTab()
    await late.vault.unlock('a passphrase')
    await tab.archive.protect(undefined)
    const conversation = late.said(secret)
    await late.archive.keep(conversation)
    expect(await (await openTab()).archive.get(conversation.id)).toBeDefined()
  })
})

describe('a browser without room', () => {
  test('for the key encrypts nothing', async () => {
    const tab = await openTab()
    await tab.archive.keep(tab.said(secret))
    disk.room = (table) => table !== 'vault'
    await expect(tab.archive.protect('a passphrase')).rejects.toMatchObject({ name: 'NotKept' })
    await tab.vault.load()
    expect(tab.vault.state.state).toBe('off')
  })

  test('for readable records keeps the key of the sealed ones', async () => {
    const tab = await openTab()
    const conversation = tab.said(secret)
    await tab.archive.keep(conversation)
    await tab.archive.protect('a passphrase')
    disk.room = (table) => table !== 'conversations'
    await expect(tab.archive.protect(undefined)).rejects.toMatchObject({ name: 'NotKept' })
    const later = await openTab()
    await later.vault.unlock('a passphrase')
    expect(await later.archive.get(conversation.id)).toBeDefined()
  })
})

test('a tab whose other one is locked does what is to be done before, and forgets the key then', async () => {
  messages.isDelivered = true
  const { vault: one } = await openTab()
  await one.protect('a passphrase')
  const { archive, vault: other } = await openTab()
  await other.unlock('a passphrase')
  await vi.waitFor(() => expect(one.state.state).toBe('open'))
  other.onLock = async () => {
    await archive.keepDraft('new', secret, 0)
    other.lock()
  }
  one.lock()
  await vi.waitFor(() => expect(other.state.state).toBe('locked'))
  await other.unlock('a passphrase')
  expect(await archive.draft('new')).toBe(secret)
})

test('what was deleted takes drafts along that are stored later', async () => {
  const tab = await openTab()
  const conversation = tab.said(secret)
  await tab.archive.keep(conversation)
  await tab.archive.remove(conversation.id)
  await tab.archive.keepDraft(conversation.id, secret, 0)
  expect(onDisk()).not.toContain(secret)
})

test('what is erased is not undone by a tab that has not heard of it', async () => {
  const [one, late] = [await openTab(), await openTab()]
  const conversation = late.said(secret)
  await late.archive.keep(conversation)
  await one.archive.erase()
  expect(await late.archive.keep(conversation)).toBeUndefined()
  await late.archive.keepDraft('new', secret, 0)
  expect(onDisk()).not.toContain(secret)
  await one.archive.keepDraft('new', secret, await one.archive.era())
  expect(onDisk()).toContain(secret)
})

test('a tab that nobody touches locks none that somebody does', async () => {
  messages.isDelivered = true
  const { vault: left } = await openTab()
  await left.protect('a passphrase')
  const { vault: used } = await openTab()
  await used.unlock('a passphrase')
  await left.unlock('a passphrase')
  vi.useFakeTimers()
  left.touch()
  used.touch()
  for (let minute = 0; minute < 30; minute++) {
    vi.advanceTimersByTime(60_000)
    used.touch()
  }
  expect([left.state.state, used.state.state]).toEqual(['open', 'open'])
  vi.advanceTimersByTime(16 * 60_000)
  vi.useRealTimers()
  await vi.waitFor(() => expect([left.state.state, used.state.state]).toEqual(['locked', 'locked']))
})
