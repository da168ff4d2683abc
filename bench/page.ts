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
import { ended, sotto } from '../e2e/support/demo.ts'
import { launch } from '../e2e/support/page.ts'
import { loadBundle } from '../src/model/files/bundle-node.ts'
import { chatOf } from '../src/model/files/manifest.ts'
import { encodeChat } from '../src/model/tokenizer/encode-chat.ts'
import { besideCleartext } from './cleartext.ts'
import { type Chatted, chatOnce } from './page-chat.ts'
import { median, print, type Result } from './result.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const PROMPT_TOKENS = 64
const REPLY_TOKENS = 48
const CHATS = 3

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
  const demo = await sotto('bin/sotto.js', 'demo', '--port', '0', '--audit', '0', ...served)
  const ready = (performance.now() - started) / 1000
  const browser = await launch('--enable-unsafe-webgpu')
  try {
    const chats: Chatted[] = []
    for (let i = 0; i < CHATS; i++)
      chats.push(await chatOnce(browser, { url: demo.url, text, replyTokens: REPLY_TOKENS }))
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
