/** A browser that keeps nothing for the page: the page works, and says so. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ChatPage, desktop, launchOptions, PATIENCE_MS } from './support/page.ts'

const profile = mkdtempSync(join(tmpdir(), 'sotto-profile-'))
let context: BrowserContext

beforeAll(async () => {
  // As "Block all cookies and site data" in the browser's settings: storage, databases and caches throw.
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } }
  mkdirSync(join(profile, 'Default'))
  writeFileSync(join(profile, 'Default/Preferences'), JSON.stringify(preferences))
  context = await chromium.launchPersistentContext(profile, { ...launchOptions(), ...desktop })
}, PATIENCE_MS)

afterAll(async () => {
  await context?.close()
  rmSync(profile, { recursive: true, force: true })
})

it(
  'chats, lists what was said, and says that nothing is kept',
  async () => {
    const chat = new ChatPage(await context.newPage())
    await chat.connect(inject('url'))
    await chat.page.getByText('This browser keeps nothing for this page').waitFor()
    expect(await chat.ask('What is the capital of France?')).not.toBe('')
    await expect.poll(() => chat.page.locator('sotto-list li').count()).toBe(1)
    // It was blocked: even naming it throws.
    await expect(chat.page.evaluate(() => localStorage.length)).rejects.toThrow('denied')
  },
  PATIENCE_MS,
)
