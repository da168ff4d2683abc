/**
 * The chat page in Chromium: `npx tsx bench/page.ts [--json]`. `--model DIR` has another chat model served, and it alone;
 * `--rebuild` builds the page anew, as on a fresh checkout.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Tokenizer } from '@huggingface/tokenizers'
import type { Browser } from 'playwright'
import { ended, sotto } from '../e2e/support/demo.ts'
import { ChatPage, desktop, launch } from '../e2e/support/page.ts'
import { loadBundle } from '../src/model/files/bundle-node.ts'
import { chatOf } from '../src/model/files/manifest.ts'
import { encodeChat } from '../src/model/tokenizer/encode-chat.ts'
import { besideCleartext } from './cleartext.ts'
import { median, print, type Result } from './result.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const PROMPT_TOKENS = 64
const REPLY_TOKENS = 48
const CHATS = 3
/** A product is made ahead for so many tokens while a person types; longer waits gain nothing. */
const TYPING_MS = 8000

interface Chatted {
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

/** A question that makes a prompt of exactly the wanted length, or the longest below it, for the bundle in a folder. */
async function question(dir: string): Promise<{ text: string; tokens: number }> {
  const { tokenizer, manifest } = await loadBundle(dir)
  const encoder = new Tokenizer(tokenizer, {})
  const length = (text: string) =>
    encodeChat(encoder, chatOf(manifest), [{ role: 'user', content: text }]).length
  const words = 'I need a hotel in Paris for two people and I would like to have breakfast in the room'.split(
    ' ',
  )
  let text = words[0]
  for (let i = 1; ; i++) {
    const longer = `${text} ${words[i % words.length]}`
    if (length(longer) > PROMPT_TOKENS) return { text, tokens: length(text) }
    text = longer
  }
}

declare global {
  interface Window {
    /** Milliseconds of every main-thread task above 50 ms. */
    longTasks: number[]
    /** When the reply's text changed, since the page began. */
    changes: number[]
  }
}

async function chat(browser: Browser, url: string, text: string): Promise<Chatted> {
  const chat = await ChatPage.fresh(browser, desktop, REPLY_TOKENS)
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
  const started = performance.now()
  await chat.connect(url)
  const connected = performance.now()
  await chat.message.fill(text)
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

/** Scripts of the built page, compressed as a web server would. */
function scriptBytes(dir: string): number {
  let sum = 0
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true }))
    if (entry.isFile() && entry.name.endsWith('.js'))
      sum += gzipSync(readFileSync(join(entry.parentPath, entry.name)), { level: 9 }).length
  return sum
}

interface PageOptions {
  /** Folder of another bundle than the demo's. */
  readonly model?: string
  readonly rebuild: boolean
}

async function measure({ model, rebuild }: PageOptions): Promise<Result> {
  if (rebuild) rmSync(join(root, 'dist/page'), { recursive: true, force: true })
  const { text, tokens } = await question(model ?? join(root, 'models/sotto-demo'))
  const started = performance.now()
  const served = model === undefined ? [] : ['--models', model]
  const demo = await sotto('demo', '--port', '0', '--audit', '0', ...served)
  const ready = (performance.now() - started) / 1000
  const browser = await launch('--enable-unsafe-webgpu')
  try {
    const chats: Chatted[] = []
    for (let i = 0; i < CHATS; i++) chats.push(await chat(browser, demo.url, text))
    const of = (name: 'firstToken' | 'tokensPerSecond' | 'connect') => median(chats.map((c) => c[name]))
    return {
      case: model === undefined ? 'page' : `page ${basename(model)}`,
      readySeconds: ready,
      rebuilt: rebuild,
      connectSeconds: of('connect'),
      promptTokens: tokens,
      firstTokenSeconds: of('firstToken'),
      tokensPerSecond: of('tokensPerSecond'),
      replyTokens: chats[0].tokens,
      longTasks: median(chats.map((c) => c.longTasks)),
      longestTaskSeconds: Math.max(...chats.map((c) => c.longest)),
      scriptGzipBytes: scriptBytes(join(root, 'dist/page')),
      backend: chats[0].backend,
      link: chats[0].link,
      repeat: CHATS,
    }
  } finally {
    await browser.close()
    demo.process.kill('SIGTERM')
    await ended(demo.process)
  }
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    model: { type: 'string' },
    rebuild: { type: 'boolean', default: false },
  },
})
print(await besideCleartext(() => measure(values)), values.json)
