/** Takes the pictures in docs/images from the running demo: `npx tsx scripts/screenshots.ts`. */
import type { Browser, BrowserContextOptions } from 'playwright'
import { sotto } from '../e2e/support/demo.ts'
import { ChatPage, desktop, launch, phone } from '../e2e/support/page.ts'
import { ensureChromium } from './chromium.ts'

async function converse(browser: Browser, url: string, options: BrowserContextOptions): Promise<ChatPage> {
  const chat = await ChatPage.fresh(
    browser,
    { reducedMotion: 'reduce', deviceScaleFactor: 2, ...options },
    48,
  )
  await chat.connect(url)
  await chat.ask('I need a hotel room in San Francisco for two nights.')
  await chat.ask('For two people, from the 5th of March.')
  return chat
}

/** The page of a classifier, with a text labelled. */
async function classify(browser: Browser, url: string, path: string): Promise<void> {
  const context = await browser.newContext({ ...desktop, deviceScaleFactor: 2, colorScheme: 'light' })
  const page = await context.newPage()
  await page.goto(`${url}?model=banking77`)
  await page.getByText('Ready to classify').waitFor({ timeout: 60_000 })
  await page.getByLabel('Text', { exact: true }).fill('My card still has not arrived, where is it?')
  await page.getByRole('button', { name: 'Classify' }).click()
  await page.getByRole('region', { name: 'Result' }).waitFor({ timeout: 60_000 })
  await page.screenshot({ path })
  await context.close()
}

process.env.CHROMIUM_PATH ??= ensureChromium()
const demo = await sotto('demo', '--port', '0')
const browser = await launch()
try {
  const wide = await converse(browser, demo.url, { ...desktop, colorScheme: 'light' })
  await wide.page.screenshot({ path: 'docs/images/desktop.png' })
  const small = await converse(browser, demo.url, { ...phone, colorScheme: 'dark' })
  await small.page.screenshot({ path: 'docs/images/phone.png' })
  await classify(browser, demo.url, 'docs/images/classify.png')
} finally {
  await browser.close()
  demo.process.kill('SIGTERM')
}
