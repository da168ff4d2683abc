/**
 * The veiled chat in Chromium on three kinds of clients: `npx tsx bench/veil-page.ts [--json]`. Chromium slows the page's main
 * thread down; the worker that veils and samples keeps its pace, and server and page share this machine.
 */
import { ended, sotto } from '../e2e/support/demo.ts'
import { launch } from '../e2e/support/page.ts'
import { type Chatted, chatOnce } from './page-chat.ts'
import { median, print } from './result.ts'

/** How many times slower than this machine, after the presets of Chromium's tools for developers. */
const clients = [
  ['this machine', 1],
  ['a phone', 4],
  ['a cheap phone', 6],
] as const

const TEXT = 'I need a hotel in Paris for two people and I would like to have breakfast in the room.'
const REPLY_TOKENS = 48
const CHATS = 3

const isJson = process.argv.includes('--json')
const demo = await sotto('bin/sotto.js', 'demo', '--port', '0', '--audit', '0')
const browser = await launch()
try {
  for (const [name, slowdown] of clients) {
    const chats: Chatted[] = []
    for (let i = 0; i < CHATS; i++)
      chats.push(
        await chatOnce(browser, {
          ...{ url: demo.url, query: '?model=sotto-demo-veiled', text: TEXT },
          ...{ replyTokens: REPLY_TOKENS, slowdown },
        }),
      )
    const of = (what: 'firstToken' | 'tokensPerSecond' | 'connect' | 'longTasks') =>
      median(chats.map((chat) => chat[what]))
    print(
      {
        case: `veiled page, ${name}`,
        slowdown,
        connectSeconds: of('connect'),
        firstTokenSeconds: of('firstToken'),
        tokensPerSecond: of('tokensPerSecond'),
        replyTokens: chats[0].tokens,
        longTasks: of('longTasks'),
        longestTaskSeconds: Math.max(...chats.map(({ longest }) => longest)),
        repeat: CHATS,
      },
      isJson,
    )
  }
} finally {
  await browser.close()
  demo.process.kill('SIGTERM')
  await ended(demo.process)
}
