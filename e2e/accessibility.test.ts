/** The page for everyone: axe on every state, the keyboard alone, and a screen reader's view. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ChatPage, desktop, launch, phone } from './support/page.ts'

const url = inject('url')
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
let browser: Browser

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

async function violations({ page }: ChatPage): Promise<string[]> {
  // A fading panel has no contrast yet.
  await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== 'running'))
  const { violations } = await new AxeBuilder({ page }).withTags(rules).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

describe.each([
  ['desktop', 'light'],
  ['desktop', 'dark'],
  ['phone', 'light'],
  ['phone', 'dark'],
] as const)('on a %s, %s', (device, colorScheme) => {
  it('has no accessibility violations', async () => {
    const size = device === 'phone' ? phone : desktop
    const chat = await ChatPage.fresh(browser, { ...size, colorScheme, reducedMotion: 'reduce' })
    await chat.connect(url)
    expect(await violations(chat), 'empty').toEqual([])
    await chat.ask('I need a hotel room in San Francisco.')
    expect(await violations(chat), 'answered').toEqual([])
    if (device === 'phone') await chat.page.getByRole('button', { name: 'Who sees what' }).click()
    expect(await violations(chat), 'who sees what').toEqual([])
    if (device === 'phone') await chat.page.keyboard.press('Escape')
    await chat.page.getByRole('button', { name: 'Settings' }).click()
    await chat.page.getByRole('dialog', { name: 'Settings' }).waitFor()
    expect(await violations(chat), 'settings').toEqual([])
    const widths = await chat.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    expect(widths[0], 'nothing is cut off at the side').toBeLessThanOrEqual(widths[1])
    await chat.close()
  })
})

describe('without a mouse or a screen', () => {
  it('chats by keyboard alone, and the reply is announced in sentences', async () => {
    const chat = await ChatPage.fresh(browser, desktop, 24)
    await chat.connect(url)
    await chat.page.evaluate(() => {
      const heard: string[] = []
      Object.assign(window, { heard })
      const root = document.querySelector('sotto-app')?.shadowRoot?.querySelector('sotto-thread')?.shadowRoot
      const status = root?.querySelector('[role=status]')
      if (!status) throw new Error('there is no live region')
      new MutationObserver(() => heard.push(status.textContent ?? '')).observe(status, {
        characterData: true,
        childList: true,
        subtree: true,
      })
    })
    await chat.message.focus()
    await chat.page.keyboard.type('I want to reserve a table.')
    await chat.page.keyboard.press('Enter')
    const reply = await chat.reply()
    const heard = await chat.page.evaluate(() => (window as unknown as { heard: string[] }).heard)
    const plain = (text: string) => text.replace(/\s+/g, ' ').trim()
    expect(plain(heard.join(' '))).toBe(plain(reply))
    expect(heard.length).toBeLessThan(await chat.tokens())
    await chat.close()
  })
})
