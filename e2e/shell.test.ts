/** The page as it was built: enforced policies, no network, formatted replies, and other languages. */
import type { Browser } from 'playwright'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ChatPage, desktop, launch, phone } from './support/page.ts'

const url = inject('url')
let browser: Browser

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

const question = 'I need a hotel room in San Francisco.'

it('can be read without a network, and is gone once everything is erased', async () => {
  const chat = await ChatPage.fresh(browser, { ...desktop, serviceWorkers: 'allow' })
  const { page } = chat
  await chat.connect(url)
  const reply = await chat.ask(question)
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  const kept = await page.evaluate(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith('sotto-shell-'))
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
    return requests.map((all) => all.map((request) => request.url))
  })
  expect(kept).toHaveLength(1)
  expect(kept[0].every((address) => new URL(address).origin === new URL(url).origin)).toBe(true)
  expect(kept[0].filter((address) => /config\.json|api/.test(address))).toEqual([])
  await page.context().setOffline(true)
  await page.reload()
  await expect
    .poll(() => page.locator('.said').allTextContents())
    .toEqual([question, expect.stringContaining(reply)])
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Erase everything' }).click()
  await page.getByRole('button', { name: 'Yes, erase everything' }).click()
  await page.waitForFunction(async () => {
    const keepers = await navigator.serviceWorker.getRegistrations()
    return keepers.length === 0 && (await caches.keys()).length === 0
  })
  await chat.close()
})

it('makes no HTML of texts, runs no foreign script, and is isolated', async () => {
  const chat = await ChatPage.fresh(browser)
  await chat.connect(url)
  const refused = await chat.page.evaluate(() => {
    const attempts = [
      () => {
        document.createElement('div').innerHTML = '<b>x</b>'
      },
      () => new Worker('https://elsewhere.example/x.js'),
      () => new DOMParser().parseFromString('<b>x</b>', 'text/html'),
    ]
    return attempts.map((attempt) => {
      try {
        attempt()
        return 'allowed'
      } catch (error) {
        return (error as Error).name
      }
    })
  })
  expect(refused).toEqual(['TypeError', 'TypeError', 'TypeError'])
  expect(await chat.page.evaluate(() => crossOriginIsolated)).toBe(true)
  await chat.close()
})

it('speaks Arabic from right to left, and another language at once', async () => {
  const chat = await ChatPage.fresh(browser, { ...phone, locale: 'ar-EG' })
  const { page } = chat
  await page.goto(url)
  await page.getByRole('heading', { name: 'قُلها بهدوء.' }).waitFor()
  expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])).toEqual([
    ...['ar', 'rtl'],
  ])
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  expect(widths[0]).toBeLessThanOrEqual(widths[1])
  await page.getByRole('button', { name: 'الإعدادات' }).click()
  await page.getByRole('combobox', { name: 'اللغة' }).selectOption('de')
  await page.getByRole('heading', { name: 'Einstellungen' }).waitFor()
  expect(await page.evaluate(() => document.documentElement.dir)).toBe('ltr')
  await page.reload()
  await page.getByRole('heading', { name: 'Sagen Sie es leise.' }).waitFor()
  await chat.close()
})
