/** One conversation in the chat page, timed by the page itself. */
import type { Browser, Page } from 'playwright'
import { ChatPage, desktop } from '../e2e/support/page.ts'

/** A product is made ahead for so many tokens while a person types; longer waits gain nothing. */
const TYPING_MS = 8000

export interface Chatted {
  firstToken: number
  tokensPerSecond: number
  tokens: number
  connect: number
  longest: number
  /** Main-thread tasks above 50 ms. */
  longTasks: number
  backend: string
  link: string
}

declare global {
  interface Window {
    /** Milliseconds of every main-thread task above 50 ms. */
    longTasks: number[]
    /** When the reply's text changed, since the page began. */
    changes: number[]
  }
}

/** What is said, and on what kind of machine. */
export interface ChatPlan {
  /** Address of the page, and what is added to it. */
  readonly url: string
  readonly query?: string
  readonly text: string
  /** Tokens of the reply at most. */
  readonly replyTokens: number
  /** How many times slower than this machine the page's processor is to be; 1 if not given. */
  readonly slowdown?: number
}

/** A new person's first question and its reply. */
export async function chatOnce(browser: Browser, o: ChatPlan): Promise<Chatted> {
  const chat = await ChatPage.fresh(browser, desktop, o.replyTokens)
  const { page } = chat
  // The loader of this file marks functions with a helper that the page lacks.
  await page.addInitScript('globalThis.__name = (f) => f')
  await page.addInitScript(() => {
    window.longTasks = []
    window.changes = []
    new PerformanceObserver((list) => {
      window.longTasks.push(...list.getEntries().map((entry) => entry.duration))
    }).observe({ type: 'longtask', buffered: true })
  })
  if (o.slowdown !== undefined) await slow(page, o.slowdown)
  const started = performance.now()
  await chat.connect(o.url, o.query)
  const connected = performance.now()
  await chat.message.fill(o.text)
  await page.waitForTimeout(TYPING_MS)
  const sent = await page.evaluate(watchReply)
  await chat.message.press('Enter')
  await chat.reply()
  const { changes, longTasks } = await page.evaluate(() => ({
    changes: window.changes,
    longTasks: window.longTasks,
  }))
  const tokens = await chat.tokens()
  const { backend, link } = await chat.session()
  await chat.close()
  const [first, last] = [changes[0], changes[changes.length - 1]]
  return {
    firstToken: (first - sent) / 1000,
    tokensPerSecond: (tokens - 1) / ((last - first) / 1000),
    tokens,
    connect: (connected - started) / 1000,
    longest: Math.max(0, ...longTasks) / 1000,
    longTasks: longTasks.length,
    backend,
    link,
  }
}

/** In the page: notes every change of the last reply's text from now on; returns the time. */
function watchReply(): number {
  const said = (root: Document | ShadowRoot): string => {
    const own = [...root.querySelectorAll('article.model .said')].at(-1)?.textContent
    if (own) return own
    // Components keep their elements to themselves.
    for (const { shadowRoot } of root.querySelectorAll('*')) {
      const inner = shadowRoot && said(shadowRoot)
      if (inner) return inner
    }
    return ''
  }
  let known = said(document)
  const look = () => {
    const now = said(document)
    if (now.trim() !== '' && now !== known) window.changes.push(performance.now())
    known = now
    requestAnimationFrame(look)
  }
  look()
  return performance.now()
}

/** Slows the page's main thread down, as Chromium's tools for developers do; workers keep their pace. */
async function slow(page: Page, rate: number): Promise<void> {
  const tools = await page.context().newCDPSession(page)
  await tools.send('Emulation.setCPUThrottlingRate', { rate })
}
