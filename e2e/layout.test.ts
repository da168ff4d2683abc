/**
 * How the main views are laid out and coloured, on desktop and phone, light and dark, as a text beside this file: boxes of
 * parts that no font decides about, and colours with their contrast. `npx vitest run --config e2e/vitest.config.ts
 * e2e/layout.test.ts -u` writes it anew.
 */
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ChatPage, desktop, launch, phone } from './support/page.ts'

const url = inject('url')
let browser: Browser

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

/** Parts whose box is the layout's alone; of others, whose text decides about their height, where they begin and end. */
type Part = readonly [name: string, selector: string, sides?: 'across']

const frame: Part[] = [
  ['header', 'sotto-header header'],
  ['list', 'sotto-list'],
  ['panel', 'sotto-panel'],
]
const chatParts: Part[] = [
  ...frame,
  ['thread', 'sotto-thread'],
  ['welcome', 'sotto-welcome h2', 'across'],
  ['first suggestion', 'sotto-welcome .ask >> nth=0', 'across'],
  ['message', 'sotto-composer form'],
  ['send', 'sotto-composer .go'],
]
const classifyParts: Part[] = [
  ...frame,
  ['view', 'sotto-classify'],
  ['text', 'sotto-classify textarea >> nth=0', 'across'],
]
const settingsParts: Part[] = [['settings', 'sotto-settings dialog']]
const panelParts: Part[] = [
  ['panel', 'sotto-panel'],
  ['triangle', 'sotto-panel sotto-triangle', 'across'],
]

/** Where parts are, once they have come to rest: what was loaded for a view moves it. */
async function boxes(page: Page, view: string, parts: Part[]): Promise<string[]> {
  for (let before = await boxesNow(page, view, parts); ; ) {
    await page.waitForTimeout(200)
    const now = await boxesNow(page, view, parts)
    if (now.join() === before.join()) return now
    before = now
  }
}

async function boxesNow(page: Page, view: string, parts: Part[]): Promise<string[]> {
  const lines: string[] = []
  for (const [name, selector, sides] of parts) {
    const [found] = await page.locator(selector).all()
    const box = await found?.boundingBox()
    const [x, y, width, height] = box ? [box.x, box.y, box.width, box.height].map(Math.round) : []
    const place = sides ? `from ${x} to ${x + width}` : `${width} x ${height} at ${x}, ${y}`
    lines.push(`${view}: ${name} ${box ? place : 'is not there'}`)
  }
  return lines
}

/** What is written on what. */
const pairs = [
  ...['ink on sheet', 'soft on sheet', 'ink on paper', 'soft on paper', 'you on sheet', 'on-you on you'],
  ...['server on paper', 'dealer on paper', 'danger on danger-sheet', 'edge on sheet', 'soft on sunk'],
]

/** Each with its contrast (WCAG 2.2, "contrast ratio"). */
const colours = (page: Page): Promise<string[]> =>
  page.evaluate((pairs) => {
    const probe = document.body.appendChild(document.createElement('i'))
    const rgb = (name: string): number[] => {
      probe.style.color = `var(--${name})`
      return getComputedStyle(probe)
        .color.match(/[\d.]+/g)!
        .slice(0, 3)
        .map(Number)
    }
    const luminance = (parts: number[]): number => {
      const [r, g, b] = parts.map((part) => {
        const share = part / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const found = pairs.map((pair) => {
      const both = pair.split(' on ').map(rgb)
      const [dark, light] = both.map(luminance).sort((a, b) => a - b)
      const contrast = (light + 0.05) / (dark + 0.05)
      return `${pair}: ${both.map((parts) => parts.join(' ')).join(' on ')}, ${contrast.toFixed(1)} to 1`
    })
    probe.remove()
    return found
  }, pairs)

it.each([
  ['desktop', desktop],
  ['phone', phone],
] as const)('on a %s the views are where they were, in both themes', async (device, size) => {
  const chat = await ChatPage.fresh(browser, { ...size, reducedMotion: 'reduce', colorScheme: 'light' })
  const { page } = chat
  await page.goto(url)
  await page.locator('sotto-welcome .model b').waitFor()
  const found = await boxes(page, 'chat', chatParts)
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.locator('sotto-settings dialog[open]').waitFor()
  found.push(...(await boxes(page, 'settings', settingsParts)))
  await page.keyboard.press('Escape')
  if (device === 'phone') {
    await page.getByRole('button', { name: 'Who sees what' }).click()
    await page.locator('sotto-panel header').waitFor()
    found.push(...(await boxes(page, 'who sees what', panelParts)))
  }
  await page.goto(`${url}?model=banking77`)
  await page.locator('sotto-classify textarea').first().waitFor()
  found.push(...(await boxes(page, 'classify', classifyParts)))
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    found.push(...(await colours(page)).map((line) => `${colorScheme}: ${line}`))
  }
  await chat.close()
  await expect(`${found.join('\n')}\n`).toMatchFileSnapshot(`layout/${device}.txt`)
})
