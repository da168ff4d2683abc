/** A person labels texts: one, a pasted batch, a file; and everyone else can, too. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page, Request } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseCsv } from '../src/texts/csv.ts'
import { program } from '../test/support/built/path.ts'
import { writeTinyBundle } from '../test/support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../test/support/session/tiny-classifier.ts'
import { violations } from './support/axe.ts'
import { ended, sotto } from './support/demo.ts'
import { desktop, launch, PATIENCE_MS, phone } from './support/page.ts'

const cellsOf = (csv: string): string[][] => parseCsv(csv).map(({ cells }) => cells)

const labels = ['negative', 'neutral', 'positive']
const folder = mkdtempSync(join(tmpdir(), 'sotto-e2e-'))
let demo: { process: ChildProcess; url: string }
let browser: Browser

beforeAll(async () => {
  await writeTinyBundle(folder, 'a-chat')
  await writeTinyClassifier(folder, 'single', { head: { kind: 'classify', labels } })
  await writeTinyClassifier(folder, 'two')
  browser = await launch()
  demo = await sotto(program(), 'demo', '--port', '0', '--audit', '0.25', '--models', folder)
})
afterAll(async () => {
  await browser.close()
  demo.process.kill('SIGTERM')
  await ended(demo.process)
  rmSync(folder, { recursive: true })
})

/** A page of somebody new, connected to a model that labels. */
async function open(model = 'single', options: BrowserContextOptions = desktop): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(`${demo.url}?model=${model}`)
  await page.getByText('Ready to classify').waitFor()
  return page
}
const complaints: string[] = []

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })

async function classifyOne(page: Page, text: string): Promise<string> {
  await page.getByLabel('Text', { exact: true }).fill(text)
  await button(page, 'Classify').click()
  const result = page.getByRole('region', { name: 'Result' })
  await result.waitFor()
  return (await result.getByRole('heading').textContent()) ?? ''
}

async function paste(page: Page, texts: string[]): Promise<void> {
  await page.getByRole('tab', { name: 'Many texts' }).click()
  await page.getByLabel('Texts, one a line').fill(texts.join('\n'))
  await button(page, `Classify ${texts.length} texts`).click()
}

/** The downloaded table. */
async function download(page: Page): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'), button(page, 'Download CSV').click()])
  let text = ''
  for await (const part of await file.createReadStream()) text += part
  return { name: file.suggestedFilename(), text }
}

describe('one text', () => {
  it('gets a label and probabilities, and the panel shows what it took', async () => {
    const page = await open()
    const heading = await classifyOne(page, 'a good film')
    expect(heading).toMatch(/^(negative|neutral|positive), \d+\.\d%$/)
    const rows = await page
      .getByRole('list', { name: 'Probabilities' })
      .getByRole('listitem')
      .allTextContents()
    const shares = rows.map((row) => Number(/([\d.]+)%/.exec(row)?.[1]))
    expect(rows).toHaveLength(3)
    expect(shares).toEqual([...shares].sort((a, b) => b - a))
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(100, 0)
    expect(await page.locator('.cost').textContent()).toMatch(/[1-9]\d* hops · \d[\d.]* KB between/)
    const panel = page.locator('sotto-panel')
    expect(await panel.locator('.server .got').textContent()).toMatch(
      /Received \d.* KB from you .*\d+ messages crossed, in \d+ hops/s,
    )
    expect(await panel.locator('.server code').textContent()).toMatch(/^[0-9a-f]{8}( [0-9a-f]{8}){7,}/)
    expect(await panel.getByText('How long each text is, in tokens, rounded up').count()).toBe(1)
    expect(await panel.locator('#audits').textContent()).toMatch(
      /^audited \d+ of [1-9]\d* pass(es)?(, all right, says the model server)?$/,
    )
    expect(await page.locator('sotto-classify [role=status]').textContent()).toContain('%')
    await page.context().close()
  })

  it('may be a pair, by keyboard alone', async () => {
    const page = await open('two')
    await page.getByLabel('First text').focus()
    await page.keyboard.type('a good film')
    await page.keyboard.press('Tab')
    await page.keyboard.type('the film was good')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('region', { name: 'Result' }).waitFor()
    await page.getByRole('tab', { name: 'One text' }).focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.getByRole('tab', { name: 'Many texts' }).getAttribute('aria-selected')).toBe('true')
    await page.getByLabel(/Texts, one a line/).fill('only one')
    await button(page, 'Classify 1 text').click()
    expect(await page.getByRole('alert').textContent()).toContain('put a tab between them')
    await page.context().close()
  })
})

describe('a batch', () => {
  it('is pasted, cancelled midway, gone on with, and downloaded', async () => {
    const page = await open()
    const texts = Array.from(
      { length: 24 },
      (_, at) => `${at % 2 ? 'a good film' : '=sad,'} ${at % 3 ? 'but long' : ''}`,
    )
    await paste(page, texts)
    const progress = page.locator('#progress')
    await expect
      .poll(async () => Number.parseInt((await progress.textContent()) ?? '', 10), { timeout: PATIENCE_MS })
      .toBeGreaterThan(2)
    await button(page, 'Cancel').click()
    await button(page, 'Go on').waitFor()
    const done = Number.parseInt((await progress.textContent()) ?? '', 10)
    expect(done).toBeLessThan(24)

    const part = cellsOf((await download(page)).text)
    expect(part).toHaveLength(1 + done)

    await button(page, 'Go on').click()
    await page.getByText('24 of 24 rows · done').waitFor()
    const { name, text } = await download(page)
    expect(name).toBe('pasted-single.csv')
    const [header, ...rows] = cellsOf(text)
    expect(header).toEqual(['text', 'label', ...labels.map((label) => `probability_${label}`)])
    expect(rows.slice(0, done)).toEqual(part.slice(1))
    rows.forEach(([written, label, ...shares], at) => {
      // What a spreadsheet would run as a formula is text.
      expect(written).toBe(texts[at].startsWith('=') ? `'${texts[at]}` : texts[at])
      expect(label).toBe(labels[shares.map(Number).indexOf(Math.max(...shares.map(Number)))])
      expect(shares.map(Number).reduce((a, b) => a + b)).toBeCloseTo(1, 4)
    })
    expect(text.charCodeAt(0)).not.toBe(0xfeff)

    // The table shows pages of it.
    const shown = page.getByRole('table', { name: /^Results/ }).getByRole('row')
    expect(await shown.count()).toBe(21)
    await button(page, 'Next').click()
    expect(await shown.count()).toBe(5)
    await page.context().close()
  })

  it('is a file, whose columns are found and kept', async () => {
    const page = await open()
    await page.getByRole('tab', { name: 'Many texts' }).click()
    const give = (name: string, text: string) =>
      page
        .getByLabel('File with texts')
        .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })
    await give('bad.csv', 'text\n"never closed')
    expect(await page.getByRole('alert').textContent()).toContain('opens in line 2')
    const dropped = await page.evaluateHandle((text) => {
      const data = new DataTransfer()
      data.items.add(new File([text], 'films.csv', { type: 'text/csv' }))
      return data
    }, 'id,review\r\n7,"short, but ""good"""\r\n8,\r\n9,"bad\nand long"\r\n')
    await page.locator('sotto-classify-source .drop').dispatchEvent('drop', { dataTransfer: dropped })
    expect(await page.getByRole('combobox', { name: 'Text:' }).locator('option:checked').textContent()).toBe(
      'review',
    )
    await button(page, 'Classify 2 texts').click()
    await page.getByText('3 of 3 rows · done').waitFor()
    const { name, text } = await download(page)
    expect(name).toBe('films-single.csv')
    const rows = cellsOf(text)
    expect(rows.map((row) => row.slice(0, 2))).toEqual([
      ['id', 'review'],
      ['7', 'short, but "good"'],
      ['8', ''],
      ['9', 'bad\nand long'],
    ])
    expect(rows[2].slice(2)).toEqual(['', '', '', '', 'no text'])
    await page.context().close()
  })
})

describe('the network', () => {
  it('carries no text, no label, and nothing to a fourth party', async () => {
    // Over fetch, every message is a request with a body that can be searched.
    const page = await open('single&link=fetch')
    const requests: Request[] = []
    page.context().on('request', (request) => requests.push(request))
    await paste(page, ['Xylophone film', 'a good Zanzibar'])
    await page.getByText('2 of 2 rows · done').waitFor()
    const config = await (await fetch(new URL('config.json', demo.url))).json()
    const { server, protections } = config as {
      server: string
      protections: { shared: { dealer: { url: string } } }
    }
    const { dealer } = protections.shared
    const origins = new Set(requests.map((request) => new URL(request.url()).origin))
    // The page's own parts come when they are used.
    const home = new URL(demo.url).origin
    origins.delete(home)
    expect([...origins].sort()).toEqual([server, dealer.url].map((url) => new URL(url).origin).sort())
    const own = requests.filter((request) => new URL(request.url()).origin === home)
    expect(
      own.filter((request) => request.postDataBuffer() !== null || new URL(request.url()).search),
    ).toEqual([])
    const bodies = requests.map((request) => request.postDataBuffer()).filter((body) => body !== null)
    expect(bodies.length).toBeGreaterThan(10)
    for (const text of ['Xylophone', 'Zanzibar', ...labels])
      for (const needle of [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(btoa(text))])
        expect(bodies.some((body) => body.includes(needle))).toBe(false)
    await page.context().close()
  })
})

describe('the picker', () => {
  it('changes between chat and labels, and the address goes along', async () => {
    const page = await open()
    await page.getByRole('combobox', { name: 'Model' }).selectOption('a-chat')
    await page.getByText(/^Ready\b/).waitFor()
    expect(new URL(page.url()).searchParams.get('model')).toBe('a-chat')
    const got = page.locator('sotto-panel .server .got')
    await page.getByLabel('Message', { exact: true }).fill('good')
    await page.getByLabel('Message', { exact: true }).press('Enter')
    await expect.poll(() => got.textContent()).toMatch(/^Received [\d.]+ KB from you/)
    await page.getByRole('button', { name: 'Send' }).waitFor()
    await page.getByRole('combobox', { name: 'Model' }).selectOption('two')
    await page.getByText('Ready to classify').waitFor()
    expect(await page.getByLabel('Second text').isVisible()).toBe(true)
    // What the chat took is the chat's: here are the greetings of two sessions.
    expect(await got.textContent()).toMatch(/^Received \d+ B from you/)
    await page.reload()
    await page.getByText('Ready to classify').waitFor()
    expect(await page.getByLabel('Second text').isVisible()).toBe(true)
    await page.context().close()
  })
})

describe.each([
  ['desktop', 'light'],
  ['phone', 'dark'],
  ['phone', 'light'],
  ['desktop', 'dark'],
] as const)('on a %s, %s', (device, colorScheme) => {
  it('has no accessibility violations, moves nothing, and fits', async () => {
    const size = device === 'phone' ? phone : desktop
    const page = await open('single', { ...size, colorScheme, reducedMotion: 'reduce' })
    await page.evaluate(() => {
      const shifts: number[] = []
      Object.assign(window, { shifts })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & {
          value: number
          hadRecentInput: boolean
        })[])
          if (!entry.hadRecentInput) shifts.push(entry.value)
      }).observe({ type: 'layout-shift' })
    })
    expect(await violations(page), 'empty').toEqual([])
    await classifyOne(page, 'a good film')
    expect(await violations(page), 'one').toEqual([])
    await page.getByRole('tab', { name: 'Many texts' }).click()
    expect(await violations(page), 'nothing pasted').toEqual([])
    await paste(page, ['sad', 'a funny film but very long', 'not bad'])
    await page.getByText('3 of 3 rows · done').waitFor()
    expect(await violations(page), 'many').toEqual([])
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    expect(widths[0], 'nothing is cut off at the side').toBeLessThanOrEqual(widths[1])
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)
    expect(
      shifts.reduce((a, b) => a + b, 0),
      'nothing moves by itself',
    ).toBeLessThan(0.1)
    await page.context().close()
  })
})

it('none of this made the page complain', () => expect(complaints).toEqual([]))
