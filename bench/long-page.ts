/**
 * The page with much in it: `npx tsx bench/long-page.ts [--json] [--no-messages]`. Main-thread tasks with many long chats kept,
 * by the clock and by the processor's time, which other load on the machine does not lengthen; and what a message costs once a
 * chat has outgrown the model's memory.
 */
import type { Browser } from 'playwright'
import { ended, sotto } from '../e2e/support/demo.ts'
import { ChatPage, desktop, launch } from '../e2e/support/page.ts'
import { print, type Result } from './result.ts'
import { longestTask } from './trace.ts'

const KEPT = 300
const TURNS = 40
const MESSAGES = 20
const REPLY_TOKENS = 24

/** Puts chats where the page keeps them. */
async function fill({ page }: ChatPage): Promise<void> {
  await page.evaluate(
    async ([kept, length]) => {
      const register = (value: string | boolean) => ({ value, at: 1 })
      const words =
        'I need a **hotel** in Paris for two people, with breakfast:\n\n- one room\n- `two` beds\n\n'
      const chats = Array.from({ length: kept }, (_, n) => {
        const names = Array.from({ length }, (_, at) => `${n}.${at}`)
        const turns = names.map((id, at) => ({
          ...{ id, after: names[at - 1], rev: 0, at: 1_700_000_000_000 + at },
          ...{ role: at % 2 ? 'assistant' : 'user', content: `${words.repeat(1 + (at % 3))} ${n}` },
        }))
        const byId = Object.fromEntries(turns.map((turn) => [turn.id, turn]))
        const about = {
          title: register(`Chat ${n}`),
          pinned: register(false),
          updated: 1_700_000_000_000 + n,
        }
        return { id: `chat-${n}`, turns: byId, chosen: {}, traffic: {}, era: 0, temporary: false, ...about }
      })
      const opening = indexedDB.open('sotto')
      await new Promise((resolve) => opening.addEventListener('success', resolve))
      const transaction = opening.result.transaction('conversations', 'readwrite')
      for (const chat of chats) transaction.objectStore('conversations').put(chat, chat.id)
      await new Promise((resolve) => transaction.addEventListener('complete', resolve))
    },
    [KEPT, TURNS] as const,
  )
}

interface Longest {
  /** Seconds by the clock. */
  clock: number
  /** Seconds of the processor. */
  processor: number
}

/** Longest main-thread task of each step. */
async function steps(browser: Browser, url: string): Promise<Record<string, Longest>> {
  const chat = await ChatPage.fresh(browser, desktop)
  const { page } = chat
  await page.addInitScript('globalThis.__name = (f) => f')
  await chat.connect(url)
  await fill(chat)
  const list = page.locator('sotto-list')
  const found: Record<string, Longest> = {}
  const step = async (name: string, run: () => Promise<unknown>): Promise<void> => {
    await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline', '__metadata'] })
    await run()
    // What it leaves to be done when there is time.
    await page.waitForTimeout(1000)
    found[name] = longestTask(await browser.stopTracing())
  }
  await step('reload', async () => {
    await page.reload()
    await chat.connected()
    await list.getByText(`Chat ${KEPT - 1}`, { exact: true }).waitFor()
  })
  await step('open', async () => {
    await list.getByText(`Chat ${KEPT - 1}`, { exact: true }).click()
    await chat.questions.first().waitFor()
    await page.waitForFunction((n) => {
      const thread = document.querySelector('sotto-app')?.shadowRoot?.querySelector('sotto-thread')
      return thread?.shadowRoot?.querySelectorAll('sotto-turn').length === n
    }, TURNS)
  })
  await step('scroll', () =>
    list.locator('nav').evaluate(async (nav) => {
      for (; nav.scrollTop + nav.clientHeight < nav.scrollHeight - 1; nav.scrollTop += 900)
        await new Promise(requestAnimationFrame)
    }),
  )
  await step('search', () => list.getByLabel('Search all chats').pressSequentially('hotel 29', { delay: 60 }))
  await step('reply', () => chat.ask('And a table?'))
  await chat.close()
  return found
}

/** Seconds that each of many messages in one chat takes until its reply is complete. */
async function messages(browser: Browser, url: string): Promise<number[]> {
  const chat = await ChatPage.fresh(browser, desktop, REPLY_TOKENS)
  await chat.connect(url)
  const taken: number[] = []
  for (let at = 0; at < MESSAGES; at++) {
    const started = performance.now()
    await chat.ask(
      `I would like to book a room for ${at + 2} people with breakfast, near the station, please.`,
    )
    taken.push((performance.now() - started) / 1000)
  }
  await chat.close()
  return taken
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

async function measure(isWhole: boolean): Promise<Result> {
  const demo = await sotto('bin/sotto.js', 'demo', '--port', '0', '--audit', '0')
  const browser = await launch()
  try {
    const longest = await steps(browser, demo.url)
    const taken = isWhole ? await messages(browser, demo.url) : []
    const half = MESSAGES / 2
    return {
      case: 'long-page',
      chats: KEPT,
      turns: TURNS,
      ...Object.fromEntries(
        Object.entries(longest).flatMap(([name, { clock, processor }]) => [
          [`${name}LongestTaskSeconds`, clock],
          [`${name}LongestTaskProcessorSeconds`, processor],
        ]),
      ),
      ...(isWhole && {
        messages: taken.map((each) => Number(each.toPrecision(3))),
        firstHalfSeconds: mean(taken.slice(0, half)),
        secondHalfSeconds: mean(taken.slice(half)),
      }),
    }
  } finally {
    await browser.close()
    demo.process.kill('SIGTERM')
    await ended(demo.process)
  }
}

const flags = process.argv.slice(2)
print(await measure(!flags.includes('--no-messages')), flags.includes('--json'))
