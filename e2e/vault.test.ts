/** What a browser keeps, encrypted: set, locked, opened by passphrase and passkey, taken along, erased; in two tabs. */
import { readFileSync } from 'node:fs'
import type { Browser, CDPSession } from 'playwright'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ChatPage, launch } from './support/page.ts'

// Passkeys belong to names.
const url = inject('url').replace('127.0.0.1', 'localhost')
const [words, passphrase] = ['I need a hotel in Xanadu.', 'several quiet words']
let browser: Browser
let one: ChatPage
let two: ChatPage
let authenticator: CDPSession
let authenticatorId: string
let exported: string

beforeAll(async () => {
  browser = await launch()
  one = await ChatPage.fresh(browser)
  authenticator = await one.page.context().newCDPSession(one.page)
  await authenticator.send('WebAuthn.enable')
  const abilities = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true, hasPrf: true }
  const options = { protocol: 'ctap2', transport: 'internal', ...abilities } as const
  ;({ authenticatorId } = await authenticator.send('WebAuthn.addVirtualAuthenticator', { options }))
  await one.connect(url)
  two = new ChatPage(await one.page.context().newPage())
})
afterAll(() => browser.close())

const button = ({ page }: ChatPage, name: string) => page.getByRole('button', { name, exact: true })
const isLocked = ({ page }: ChatPage) => page.getByRole('heading', { name: 'Locked.' }).waitFor()
const settings = (chat: ChatPage) => button(chat, 'Settings').click()

async function unlock(chat: ChatPage, by = passphrase): Promise<void> {
  await chat.page.getByLabel('Passphrase', { exact: true }).fill(by)
  await button(chat, 'Unlock').click()
}

async function lockNow(chat: ChatPage): Promise<void> {
  await settings(chat)
  await button(chat, 'Lock now').click()
  await isLocked(chat)
}

/** Every record of every database and all other storage, as text; bytes letter by letter. */
const onDisk = ({ page }: ChatPage): Promise<string> =>
  page.evaluate(async () => {
    const wait = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const letters = (_: string, value: unknown) => {
      if (!(value instanceof ArrayBuffer) && !ArrayBuffer.isView(value)) return value
      const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer)
      return String.fromCharCode(...bytes)
    }
    const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.title]
    for (const { name } of await indexedDB.databases()) {
      const database = await wait(indexedDB.open(name!))
      for (const store of database.objectStoreNames)
        found.push(
          JSON.stringify(await wait(database.transaction(store).objectStore(store).getAll()), letters),
        )
      database.close()
    }
    return found.join('\n')
  })

it('is readable by whoever has the profile, until there is a passphrase', async () => {
  const reply = await one.ask(words)
  await one.message.fill('For two quokkas')
  await expect.poll(() => onDisk(one)).toContain('quokkas')
  expect(await onDisk(one)).toContain('Xanadu')
  await settings(one)
  await button(one, 'Encrypt with a passphrase…').click()
  await one.page.getByLabel('Passphrase, 8 characters or more').fill(passphrase)
  await button(one, 'Encrypt').click()
  await one.page.getByText('Everything that is kept is encrypted now.').waitFor()
  const kept = await onDisk(one)
  for (const word of ['Xanadu', 'quokkas', reply, passphrase]) expect(kept).not.toContain(word)
})

it('takes the passphrase in another tab, and no other one', async () => {
  await two.page.goto(url)
  await isLocked(two)
  expect(await two.page.content()).not.toContain('Xanadu')
  await unlock(two, 'some other words')
  await expect.poll(() => two.page.getByRole('alert').textContent()).toBe('That is not the passphrase.')
  await unlock(two)
  await two.page.locator('sotto-list').getByText(words).first().click()
  expect(await two.questions.first().textContent()).toContain(words)
  // The names of pages that the browser itself remembers tell nothing.
  expect(await two.page.title()).not.toContain('Xanadu')
})

it('is taken along, readable, by whoever asks for that', async () => {
  const saved = one.page.waitForEvent('download')
  await button(one, 'Export conversations').click()
  exported = readFileSync(await (await saved).path(), 'utf8')
  expect(exported).toContain('Xanadu')
  await one.page.keyboard.press('Escape')
})

it('a lock closes every tab, and leaves no word in it', async () => {
  await lockNow(one)
  await isLocked(two)
  for (const { page } of [one, two]) {
    const shown = await page.evaluate(() => {
      const all = (root: ParentNode): string =>
        [...root.querySelectorAll('*')]
          .map(
            (each) =>
              `${(each as HTMLInputElement).value ?? ''}${each.shadowRoot ? all(each.shadowRoot) : ''}`,
          )
          .join('') + (root.textContent ?? '')
      return all(document)
    })
    expect(shown).toContain('Locked.')
    expect(shown).not.toMatch(/Xanadu|quokkas/)
  }
})

it('is all there again after a reload, the draft too', async () => {
  await one.page.reload()
  await isLocked(one)
  await unlock(one)
  await one.questions.first().getByText(words).waitFor()
  await expect.poll(() => one.message.inputValue()).toBe('For two quokkas')
})

it('opens by a passkey, once the person has shown who they are', async () => {
  // Browsers ask for one in the tab in front.
  await one.page.bringToFront()
  await settings(one)
  await button(one, 'Open it with a passkey, too…').click()
  await one.page.getByText('A passkey of this device opens it, too.').waitFor()
  await one.page.keyboard.press('Escape')
  await lockNow(one)
  await button(one, 'Unlock with a passkey').click()
  await one.questions.first().getByText(words).waitFor()
  await lockNow(one)
  await authenticator.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await button(one, 'Unlock with a passkey').click()
  await expect.poll(() => one.page.getByRole('alert').textContent()).toContain('No passkey was given')
  await unlock(one)
  await one.questions.first().getByText(words).waitFor()
})

it('a temporary chat is behind the lock, too, and not gone', async () => {
  await button(one, 'New chat').click()
  await button(one, 'Temporary chat: keep it in memory only').click()
  await one.ask('A doctor in Shangri-La, please.')
  await lockNow(one)
  expect(await onDisk(one)).not.toContain('Shangri')
  await unlock(one)
  await one.questions.first().getByText('Shangri-La').waitFor()
  expect(await one.questions.count()).toBe(1)
  await one.page.locator('sotto-list').getByText(words).first().click()
})

it('locks itself where nobody has touched any tab for a quarter of an hour', async () => {
  await two.page.clock.install()
  await two.page.reload()
  await isLocked(two)
  await unlock(two)
  await two.page.locator('sotto-list').getByText(words).first().waitFor()
  await two.page.clock.fastForward(14 * 60_000)
  expect(await two.page.getByRole('heading', { name: 'Locked.' }).count()).toBe(0)
  await two.page.clock.fastForward(2 * 60_000)
  await isLocked(two)
  await isLocked(one)
})

it('is erased by one tap, in every tab, without the passphrase', async () => {
  await button(one, 'Erase everything…').click()
  await button(one, 'Yes, erase everything').click()
  await one.connected()
  await two.connected()
  for (const chat of [one, two]) {
    expect(await chat.page.locator('sotto-list li').count()).toBe(0)
    expect(await chat.message.inputValue()).toBe('')
  }
  expect(await onDisk(one)).not.toContain('Xanadu')
  await one.page.reload()
  await one.connected()
  expect(await one.questions.count()).toBe(0)
})

it('comes back from the file that was taken along', async () => {
  await settings(one)
  const file = { name: 'kept.json', mimeType: 'application/json', buffer: Buffer.from(exported) }
  await one.page.getByLabel('Exported conversations').setInputFiles(file)
  await one.page.getByText('kept.json was taken in, turn by turn.').waitFor()
  await one.page.keyboard.press('Escape')
  await one.page.locator('sotto-list').getByText(words).first().click()
  await one.questions.first().getByText(words).waitFor()
  const before = JSON.parse(exported).conversations[0].turns as Record<
    string,
    { role: string; content: string }
  >
  const said = Object.values(before).find(({ role }) => role === 'assistant')?.content
  expect(await one.lastReply()).toBe(said?.trim())
  // What was exported twice is there once.
  await settings(one)
  await one.page.getByLabel('Exported conversations').setInputFiles(file)
  await one.page.keyboard.press('Escape')
  expect(await one.page.locator('sotto-list li').count()).toBe(1)
  expect([...one.complaints, ...two.complaints]).toEqual([])
})
