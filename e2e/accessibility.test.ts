/** The page for everyone: axe on every state, the keyboard alone, and a screen reader's view. */
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { violations } from './support/axe.ts'
import { ChatPage, desktop, launch, phone } from './support/page.ts'

const url = inject('url')
let browser: Browser

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

/** Where everything is that can be seen. */
const boxesOf = ({ page }: ChatPage): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = []
    const look = (root: ParentNode): void => {
      for (const each of root.querySelectorAll('*')) {
        const { x, y, width, height } = each.getBoundingClientRect()
        const isDrawn = each.closest('svg') !== null && each.localName !== 'svg'
        if (width > 0 && height > 0 && !isDrawn) found.push([each.localName, x, y, width, height].join(' '))
        if (each.shadowRoot) look(each.shadowRoot)
      }
    }
    look(document)
    return found
  })

/** Whatever is wider than the page, which would have to be scrolled sideways. */
const tooWide = ({ page }: ChatPage): Promise<string[]> =>
  page.evaluate(() => {
    const [all, found] = [document.documentElement, [] as string[]]
    if (all.scrollWidth > innerWidth) found.push(`the page: ${all.scrollWidth} of ${innerWidth}`)
    const look = (root: ParentNode): void => {
      for (const each of root.querySelectorAll('*')) {
        const { overflowX } = getComputedStyle(each)
        const isScrolled = overflowX === 'auto' || overflowX === 'scroll'
        if (isScrolled && each.scrollWidth > each.clientWidth + 1) found.push(each.localName)
        if (each.shadowRoot) look(each.shadowRoot)
      }
    }
    look(document)
    return found
  })

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
    expect(await violations(chat.page), 'empty').toEqual([])
    if (device === 'phone') {
      // Nothing has the focus there yet: the first that gets it is the way past all the rest.
      await chat.page.keyboard.press('Tab')
      const first = await chat.page.evaluate(
        () => document.querySelector('sotto-app')?.shadowRoot?.activeElement?.textContent,
      )
      expect(first).toContain('Skip to the message box')
      await chat.page.keyboard.press('Enter')
      expect(await chat.message.evaluate((field) => field.matches(':focus'))).toBe(true)
    }
    await chat.ask('I need a hotel room in San Francisco.')
    expect(await violations(chat.page), 'answered').toEqual([])
    if (device === 'desktop') {
      // The other theme is the same page: every part stands where it stood. Numbers may have grown in between, once.
      const other = colorScheme === 'dark' ? 'light' : 'dark'
      const moved = async () => {
        const boxes = new Set(await boxesOf(chat))
        await chat.page.emulateMedia({ colorScheme: other })
        const stray = (await boxesOf(chat)).filter((box) => !boxes.has(box))
        await chat.page.emulateMedia({ colorScheme })
        return stray
      }
      await expect.poll(moved).toEqual([])
    }
    if (device === 'phone') await chat.page.getByRole('button', { name: 'Who sees what' }).click()
    expect(await violations(chat.page), 'who sees what').toEqual([])
    if (device === 'phone') {
      await chat.page.setViewportSize({ width: 320, height: 640 })
      expect(await tooWide(chat), 'who sees what').toEqual([])
      await chat.page.keyboard.press('Escape')
      expect(await tooWide(chat), 'answered').toEqual([])
      await chat.page.setViewportSize(phone.viewport)
    }
    await chat.page.getByRole('button', { name: 'Settings' }).click()
    await chat.page.getByRole('dialog', { name: 'Settings' }).waitFor()
    expect(await violations(chat.page), 'settings').toEqual([])
    if (device === 'phone') await chat.page.setViewportSize({ width: 320, height: 640 })
    expect(await tooWide(chat), 'settings').toEqual([])
    await chat.close()
  })
})

it('in few colours of the system the open chat and the parties are told apart', async () => {
  const chat = await ChatPage.fresh(browser, { ...desktop, forcedColors: 'active' })
  await chat.connect(url)
  await chat.ask('I need a hotel room in San Francisco.')
  const open = chat.page.locator('sotto-list li.open')
  const { outline, underline, background } = await open.evaluate((row) => ({
    outline: getComputedStyle(row).outlineStyle,
    underline: getComputedStyle(row.querySelector('b')!).textDecorationLine,
    background: getComputedStyle(row.closest('nav')!).backgroundColor,
  }))
  expect([outline, underline]).toEqual(['solid', 'underline'])
  const dots = await chat.page
    .locator('sotto-panel .party h3')
    .evaluateAll((heads) => heads.map((head) => getComputedStyle(head, '::before').backgroundColor))
  expect(new Set([...dots, background, 'rgba(0, 0, 0, 0)']).size).toBeGreaterThanOrEqual(dots.length + 1)
  expect(new Set(dots).size).toBe(3)
  await chat.close()
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
