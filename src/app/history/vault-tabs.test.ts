import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

// Before any tab: its modules are made anew, and would bring another disk along.
const { disk, idbKeyval, messages, newBrowser, onDisk, openTab } = await vi.hoisted(
  () => import('../../../test/support/app/tabs.ts'),
)
vi.mock('idb-keyval', () => idbKeyval)

const secret = 'Where does it hurt?'

beforeEach(newBrowser)
afterEach(() => vi.unstubAllGlobals())

describe('a browser that cannot read what it keeps', () => {
  const keyUnread = (table: string) => table === 'vault'

  test('stores nothing readable, and stores it once it can', async () => {
    const tab = await openTab()
    await tab.archive.protect('a passphrase')
    const conversation = tab.said(secret)
    disk.faults = keyUnread
    expect(await tab.archive.keep(conversation)).toBe(conversation)
    expect(await tab.archive.keepDraft('new', secret, 0)).toBe(false)
    await expect(tab.vault.seal('one', secret)).rejects.toMatchObject({ name: 'NotRead' })
    expect(onDisk()).not.toContain(secret)
    expect(disk.tables.get('conversations')).toBeUndefined()
    disk.faults = () => false
    await tab.archive.keep(conversation)
    expect(tab.vault.state.state).toBe('open')
    expect(await tab.archive.get(conversation.id)).toEqual(conversation)
    expect(onDisk()).not.toContain(secret)
  })

  test('from the start stores nothing at all', async () => {
    await (await openTab()).archive.protect('a passphrase')
    disk.faults = keyUnread
    const tab = await openTab()
    await expect(tab.vault.unlock('a passphrase')).rejects.toMatchObject({ name: 'NotRead' })
    disk.faults = () => false
    await tab.archive.keep(tab.said(secret))
    await tab.archive.keepDraft('new', secret, 0)
    await expect(tab.archive.protect('another one')).rejects.toMatchObject({ name: 'NotRead' })
    expect(onDisk()).not.toContain(secret)
  })

  test('or once it is told of another tab, too', async () => {
    messages.isDelivered = true
    const [tab, late] = [await openTab(), await openTab()]
    disk.faults = keyUnread
    await late.vault.load()
    disk.faults = () => false
    await tab.archive.protect('a passphrase')
    await late.archive.keep(late.said(secret))
    expect(onDisk()).not.toContain(secret)
  })

  test('takes nothing for encrypted, or opened, that it has not read', async () => {
    const tab = await openTab()
    const conversation = tab.said(secret)
    await tab.archive.keep(conversation)
    disk.faults = (table) => table === 'conversations'
    await expect(tab.archive.protect('a passphrase')).rejects.toMatchObject({ name: 'NotRead' })
    expect(tab.vault.state.state).toBe('off')
    disk.faults = () => false
    await tab.archive.protect('a passphrase')
    disk.faults = (table) => table === 'conversations'
    await expect(tab.archive.protect(undefined)).rejects.toMatchObject({ name: 'NotRead' })
    disk.faults = () => false
    const later = await openTab()
    await later.vault.unlock('a passphrase')
    expect(await later.archive.get(conversation.id)).toEqual(conversation)
  })

  test('brings nothing back that was deleted', async () => {
    const tab = await openTab()
    const conversation = tab.said(secret)
    await tab.archive.keep(conversation)
    await tab.archive.remove(conversation.id)
    disk.faults = (table, key) => table === 'marks' && key !== 'era'
    await tab.archive.keep(conversation)
    expect(onDisk()).not.toContain(secret)
  })
})

test('a passphrase of another tab takes nothing from one that is writing', async () => {
  messages.isDelivered = true
  const [writing, setting] = [await openTab(), await openTab()]
  const states: string[] = []
  writing.vault.subscribe(() => states.push(writing.vault.state.state))
  for (const passphrase of ['a passphrase', 'another one']) {
    await setting.archive.protect(passphrase)
    await vi.waitFor(() => expect(writing.vault.state.state).toBe('open'))
    const conversation = writing.said(secret)
    await writing.archive.keep(conversation)
    expect(onDisk()).not.toContain(secret)
    expect(await setting.archive.get(conversation.id)).toEqual(conversation)
  }
  expect(states).not.toContain('locked')
  const later = await openTab()
  await expect(later.vault.unlock('a passphrase')).rejects.toMatchObject({ name: 'WrongPassphrase' })
})

test('a tab that is locked stays so, whatever another one changes', async () => {
  messages.isDelivered = true
  const tab = await openTab()
  await tab.archive.protect('a passphrase')
  const { vault } = await openTab()
  await tab.archive.protect('another one')
  await vi.waitFor(() => expect(vault.state.state).toBe('locked'))
})

describe('an era that cannot be read', () => {
  const eraUnread = (table: string, key?: string) => table === 'marks' && key === 'era'

  test('is no first one: what is written in it is stored nowhere, and is not taken for deleted', async () => {
    const tab = await openTab()
    await tab.archive.erase()
    disk.faults = eraUnread
    const era = await tab.archive.era()
    expect(era).toBeUndefined()
    disk.faults = () => false
    const conversation = { ...tab.said(secret), era }
    expect(await tab.archive.keep(conversation)).toBe(conversation)
    expect(await tab.archive.keepDraft('new', secret, era)).toBe(false)
    expect(onDisk()).not.toContain(secret)
  })

  test('is ended all the same by an erasure, which no tab undoes', async () => {
    const [one, late] = [await openTab(), await openTab()]
    await one.archive.erase()
    const conversation = { ...late.said(secret), era: await late.archive.era() }
    await late.archive.keep(conversation)
    disk.faults = eraUnread
    await one.archive.erase()
    disk.faults = () => false
    expect(await late.archive.keep(conversation)).toBeUndefined()
    expect(onDisk()).not.toContain(secret)
  })
})

test('an erasure on a full disk ends the era, too, for every tab', async () => {
  const [one, late] = [await openTab(), await openTab()]
  const conversation = late.said(secret)
  await late.archive.keep(conversation)
  disk.room = (table) => table !== 'marks' || (disk.tables.get('conversations')?.size ?? 0) === 0
  await one.archive.erase()
  disk.room = () => true
  expect(await late.archive.keep(conversation)).toBeUndefined()
  expect(onDisk()).not.toContain(secret)
})
