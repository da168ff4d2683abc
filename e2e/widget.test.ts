/** Chats inside somebody else's pages: the sample shop on an origin of its own, and a host that means harm. */

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { desktop, launch, PATIENCE_MS } from './support/page.ts'

const [url, shop] = [inject('url'), inject('shop')]
let browser: Browser
let page: Page
const complaints: string[] = []
const asked: string[] = []

beforeAll(async () => {
  browser = await launch()
  page = await browser.newPage(desktop)
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(shop)
})
afterAll(() => browser.close())

const heard = async () => (await page.locator('output').textContent()) ?? ''
const frames = () => page.frames().filter((frame) => frame.url().includes('/embed.html?view=chat'))

it('sites that were named in the terminal may embed it, the sample site among them', async () => {
  const policy = (await fetch(new URL('embed.html', url))).headers.get('content-security-policy') ?? ''
  const ancestors = /frame-ancestors ([^;]*)/.exec(policy)?.[1].split(' ')
  expect(ancestors).toEqual(
    expect.arrayContaining([new URL(shop).origin, 'https://one.example', 'https://two.example']),
  )
})

it('the loader takes less than 8 kB', () => {
  expect(gzipSync(readFileSync('dist/page/sotto-widget.js')).length).toBeLessThan(8_000)
})

it('loads nothing of a chat before it is near or opened', async () => {
  await page.waitForFunction(() => customElements.get('sotto-chat') !== undefined)
  await expect.poll(() => asked.some((each) => each.includes('view=classify'))).toBe(true)
  expect(asked.filter((each) => each.includes('view=chat'))).toEqual([])
})

it('a chat behind a button is had in a frame of our origin, and its page hears that, not what, was said', async () => {
  await page.getByRole('button', { name: 'Ask privately' }).click()
  await expect.poll(() => frames().length).toBe(1)
  const [frame] = frames()
  expect(new URL(frame.url()).host).toBe(new URL(url).host)
  // Before anybody agrees they are told who listens.
  await frame
    .getByText(`${new URL(shop).host}, the page around, hears that something is said here, and not what.`)
    .waitFor()
  await expect.poll(heard).toContain('corner ready {}')
  const start = frame.getByRole('button', { name: 'Start' })
  await start.and(frame.locator('[aria-disabled=false]')).waitFor()
  const message = frame.getByLabel('Message')
  // A click counts once the button has been in sight for a moment.
  await expect
    .poll(async () => {
      if (!(await message.isVisible())) await start.click({ timeout: 1000 }).catch(() => undefined)
      return message.isVisible()
    })
    .toBe(true)
  await message.fill('I need a hotel in Paris.')
  await message.press('Enter')
  await frame.locator('article.model:not(.draft)').waitFor()
  expect(await frame.locator('article.you').textContent()).toBe('I need a hotel in Paris.')
  await expect.poll(heard).toContain('corner message {"role":"assistant"}')
  expect(await heard()).toContain('corner message {"role":"user"}')
  expect(await heard()).not.toContain('Paris')
  // The accent that the shop chose.
  const accent = await frame.evaluate(() => document.documentElement.style.getPropertyValue('--you'))
  expect(accent).toBe('#7a2d5c')
})

it('closes, opens where it was, and forgets when it is told to', async () => {
  const corner = page.locator('#corner')
  const call = (method: string) =>
    corner.evaluate((element, name) => (element as unknown as Record<string, () => void>)[name](), method)
  const [frame] = frames()
  await frame.getByRole('button', { name: 'Close' }).click()
  await expect.poll(() => frame.locator('article').first().isVisible()).toBe(false)
  await call('open')
  await frame.locator('article.you').waitFor()
  await call('reset')
  await expect.poll(() => frame.locator('article').count()).toBe(0)
})

it('several are on one page: the inline one loads as it comes near', async () => {
  await page.locator('#inline').scrollIntoViewIfNeeded()
  await expect.poll(() => frames().length).toBe(2)
  await expect.poll(heard).toContain('inline ready {}')
})

it('without consent a form is sent as it is', async () => {
  await page.getByLabel('How can we help?').fill('My card has not arrived.')
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await expect.poll(heard).toContain('sent {"message":"My card has not arrived."}')
})

it('with consent a form is sent with its label', async () => {
  const frame = page.frames().find((each) => each.url().includes('view=classify'))!
  const agree = frame.getByRole('button', { name: 'Sort my message privately' })
  await page.locator('sotto-classify').scrollIntoViewIfNeeded()
  await expect
    .poll(async () => {
      if (await agree.isVisible()) await agree.click({ timeout: 1000 }).catch(() => undefined)
      return frame.getByRole('status').isVisible()
    })
    .toBe(true)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await expect.poll(heard).toMatch(/sent \{"message":"My card has not arrived\.","topic":"\w+"\}/)
  // The consent was for that one: the site gets no label for another text, whatever it hands over.
  await agree.waitFor()
  await frame.getByText('No other one is, unless you agree again').waitFor()
  const before = (await heard()).length
  await page.getByLabel('How can we help?').fill('And another one.')
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await expect.poll(async () => (await heard()).slice(before)).toMatch(/sent \{"message":"And another one\."/)
  expect((await heard()).slice(before)).not.toContain('And another one.","topic":')
})

it('the shop’s strict policy has nothing to complain of', () => {
  expect(complaints).toEqual([])
})

/** A site of somebody who means harm, which `content` is all of. */
async function hostile(content: string, test: (page: Page) => Promise<void>): Promise<void> {
  const server: Server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<!doctype html>${content}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const victim = await browser.newPage(desktop)
  victim.setDefaultTimeout(PATIENCE_MS)
  try {
    await victim.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await test(victim)
  } finally {
    await victim.close()
    server.close()
  }
}

it('a site that is not on the list shows nothing of ours, the page itself least of all', async () => {
  for (const path of ['embed.html?view=chat', ''])
    await hostile(`<iframe src="${url}/${path}"></iframe>`, async (victim) => {
      await expect
        .poll(() => victim.frames().map((frame) => frame.url()))
        .toContain('chrome-error://chromewebdata/')
    })
})

it.each(['opacity: 0.01', 'filter: blur(9px)'])(
  'a listed site gains no click on the consent by %s',
  async (style) => {
    const victim = await browser.newPage(desktop)
    victim.setDefaultTimeout(PATIENCE_MS)
    await victim.goto(shop)
    await victim.locator('#corner').evaluate((chat, css) => {
      ;(chat as HTMLElement).style.cssText = css
      ;(chat as HTMLElement & { open(): void }).open()
    }, style)
    const start = victim.locator('#corner').frameLocator('iframe').getByRole('button', { name: 'Start' })
    await start.waitFor()
    const { x, y, width, height } = (await start.boundingBox())!
    for (let n = 0; n < 3; n++) {
      await victim.mouse.click(x + width / 2, y + height / 2)
      // Longer than a button has to be seen for a click to count.
      await victim.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)))
    }
    expect(await start.getAttribute('aria-disabled')).toBe('true')
    await victim.close()
  },
)

it('a listed site gains no click on the consent by laying something over it', async () => {
  const victim = await browser.newPage(desktop)
  victim.setDefaultTimeout(PATIENCE_MS)
  await victim.goto(shop)
  await victim.locator('#corner').evaluate((chat) => {
    ;(chat as HTMLElement & { open(): void }).open()
    const { style } = chat.ownerDocument.body.appendChild(chat.ownerDocument.createElement('div'))
    // What one sees is the site's; what one clicks would be ours.
    const over = {
      position: 'fixed',
      inset: '0',
      zIndex: '2147483647',
      background: 'gold',
      pointerEvents: 'none',
    }
    Object.assign(style, over)
  })
  const start = victim.locator('#corner').frameLocator('iframe').getByRole('button', { name: 'Start' })
  await start.waitFor()
  const { x, y, width, height } = (await start.boundingBox())!
  const click = async () => {
    await victim.mouse.click(x + width / 2, y + height / 2)
    await victim.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)))
  }
  for (let n = 0; n < 3; n++) await click()
  expect(await start.getAttribute('aria-disabled')).toBe('true')
  // Such clicks count once it is gone: it was that which stood in the way.
  await victim.evaluate(() => document.body.lastElementChild?.remove())
  await expect
    .poll(async () => {
      if (await start.isVisible()) await click()
      return start.isVisible()
    })
    .toBe(false)
  await victim.close()
})

it('the shop cannot look inside', async () => {
  const look = page.locator('#corner').evaluate((chat) => {
    const frame = chat.shadowRoot!.querySelector('iframe')!
    return { document: frame.contentDocument, text: frame.contentWindow!.document.body.textContent }
  })
  await expect(look).rejects.toThrow(/cross-origin/)
})
