/** The chat page as a person uses it. */
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright'

/** Chromium as the system provides it; `CHROMIUM_PATH` names another one. */
export const launchOptions = (...args: string[]) => ({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--allow-loopback-in-peer-connection', ...args],
})

export const launch = (...args: string[]): Promise<Browser> => chromium.launch(launchOptions(...args))

/** Puts WebGPU within reach without a GPU: the adapter is then a software one. */
export const webGpu = '--enable-unsafe-webgpu'

export const desktop = { viewport: { width: 1280, height: 800 } } satisfies BrowserContextOptions
export const phone = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
} satisfies BrowserContextOptions

/** Waits are for conditions; how soon they hold, the load of the machine decides. */
export const PATIENCE_MS = 300_000

export class ChatPage {
  readonly page: Page
  /** Everything that the page complained about. */
  readonly complaints: string[] = []

  constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(PATIENCE_MS)
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text())
    })
  }

  /** A new person: no history, no cache. Short and predictable replies keep the tests short. */
  static async fresh(
    browser: Browser,
    options: BrowserContextOptions = desktop,
    maxTokens = 8,
  ): Promise<ChatPage> {
    // What keeps the page offline would also hide its requests from tests that change them.
    const context = await browser.newContext({ serviceWorkers: 'block', ...options })
    await context.addInitScript(
      (chosen) => {
        if (!localStorage.getItem('sotto.settings')) localStorage.setItem('sotto.settings', chosen)
      },
      JSON.stringify({ maxTokens, temperature: 0 }),
    )
    return new ChatPage(await context.newPage())
  }

  /** Opens the page and waits for its private session. */
  async connect(url: string, query = ''): Promise<void> {
    await this.page.goto(`${url}${query}`)
    await this.connected()
  }

  async connected(): Promise<void> {
    await this.page.getByText(/^Ready\b/).waitFor()
  }

  /** Leaves the page once all that it has shown is stored, and comes back. */
  async reload(): Promise<void> {
    // Whatever is being stored has this lock, or had asked for it first.
    await this.page.evaluate(() => navigator.locks.request('sotto.history', () => undefined))
    await this.page.reload()
    await this.connected()
  }

  get message(): Locator {
    return this.page.getByLabel('Message', { exact: true })
  }

  get replies(): Locator {
    return this.page.locator('article.model')
  }

  get questions(): Locator {
    return this.page.locator('article.you')
  }

  get problem(): Locator {
    return this.page.getByRole('alert')
  }

  async say(text: string): Promise<void> {
    await this.message.fill(text)
    await this.message.press('Enter')
  }

  /** Waits until the last reply is complete, and returns its text. Fails at once if a problem shows instead. */
  async reply(): Promise<string> {
    const idle = this.page.getByRole('button', { name: 'Send' })
    await idle.waitFor()
    if (await this.problem.isVisible()) throw new Error(`the page says: ${await this.problem.textContent()}`)
    return this.lastReply()
  }

  async lastReply(): Promise<string> {
    return ((await this.replies.last().locator('.said').textContent()) ?? '').trim()
  }

  async ask(text: string): Promise<string> {
    await this.say(text)
    return this.reply()
  }

  /** "23 tokens in 1.2 s" below the last reply. */
  async tokens(): Promise<number> {
    const note = (await this.replies.last().locator('.foot').textContent()) ?? ''
    return Number(/(\d+) tokens?/.exec(note)?.[1] ?? 0)
  }

  /** How the session computes and connects, as the panel tells it. */
  async session(): Promise<{ backend: string; link: string; dispatches: number; products: number }> {
    const text = async (id: string) => (await this.page.locator(`sotto-panel #${id}`).textContent()) ?? ''
    const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1].replaceAll(',', '') ?? 0)
    const backend = await text('backend')
    return {
      backend,
      link: await text('link'),
      dispatches: number(backend, /([\d,]+) GPU dispatches/),
      products: number(await text('speed'), /([\d,]+) private products/),
    }
  }

  async close(): Promise<void> {
    await this.page.context().close()
  }
}
