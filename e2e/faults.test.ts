/** Parties go away and come back: the page says so in plain words, and a retry works. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { pageConfig } from '../src/cli/page-config.ts'
import { toBase64Url } from '../src/handshake/encoding.ts'
import { loadIdentity } from '../src/handshake/node/key-file.ts'
import { pageApp } from '../src/server/page.ts'
import { type Listening, listen } from '../src/transport/node/http.ts'
import { program } from '../test/support/built/path.ts'
import { ended, sotto } from './support/demo.ts'
import { ChatPage, desktop, launch, PATIENCE_MS } from './support/page.ts'

const models = inject('models')

describe('a party that goes away', () => {
  const keys = mkdtempSync(join(tmpdir(), 'sotto-e2e-'))
  const serverKey = toBase64Url(loadIdentity(join(keys, 'server.pem')).publicKey)
  const dealerKey = toBase64Url(loadIdentity(join(keys, 'dealer.pem')).publicKey)
  const addresses = { server: '', dealer: '' }
  const config = () => pageConfig(addresses.server, { url: addresses.dealer, key: dealerKey }, 0)
  const running: { server?: ChildProcess; dealer?: ChildProcess } = {}
  let browser: Browser
  let page: Listening

  const portOf = (address: string) => (address ? new URL(address).port : '0')

  /** Starts a party, on the port it had before if it had one. */
  async function startDealer(): Promise<void> {
    const where = [
      '--port',
      portOf(addresses.dealer),
      '--key',
      join(keys, 'dealer.pem'),
      '--log-level',
      'silent',
    ]
    const dealer = await sotto(program(), 'deal', ...where, '--allow', serverKey, '--origin', page.url)
    running.dealer = dealer.process
    addresses.dealer = dealer.url
  }

  async function startServer(): Promise<void> {
    const where = [
      '--port',
      portOf(addresses.server),
      '--key',
      join(keys, 'server.pem'),
      '--log-level',
      'silent',
    ]
    const dealer = ['--dealer', addresses.dealer, '--dealer-key', dealerKey]
    const server = await sotto(
      program(),
      'serve',
      ...where,
      ...dealer,
      '--models',
      models,
      '--origin',
      page.url,
    )
    running.server = server.process
    addresses.server = server.url
  }

  async function kill(name: 'server' | 'dealer'): Promise<void> {
    running[name]?.kill('SIGKILL')
    await ended(running[name])
  }

  beforeAll(async () => {
    browser = await launch()
    page = await listen({
      app: pageApp({ dir: 'dist/page', config }),
      host: '127.0.0.1',
      port: 0,
    })
    await startDealer()
    await startServer()
  })

  afterAll(async () => {
    await browser.close()
    await Promise.all([kill('server'), kill('dealer'), page.close()])
    rmSync(keys, { recursive: true })
  })

  const tryAgain = (chat: ChatPage) => chat.page.getByRole('button', { name: 'Try again' }).click()

  it('is the server, before the first word', async () => {
    await kill('server')
    const chat = await ChatPage.fresh(browser)
    await chat.page.goto(page.url)
    await chat.problem.waitFor()
    expect(await chat.problem.textContent()).toContain('The model server isn’t answering')
    await startServer()
    // It is noticed without a click.
    await chat.connected()
    expect(await chat.ask('I need a hotel room.')).not.toBe('')
    await chat.close()
  })

  it.each(['ws', 'fetch'])('is the server, in the middle of a reply over %s', async (link) => {
    const chat = await ChatPage.fresh(browser, desktop, 24)
    await chat.connect(page.url, `?link=${link}`)
    await chat.say('I want to reserve a table at a restaurant.')
    await chat.page.locator('sotto-turn[writing]').waitFor()
    await kill('server')
    await chat.page
      .getByText(/The model server.* is away/)
      .first()
      .waitFor()
    const before = await chat.lastReply()
    expect(before).not.toBe('')
    await startServer()
    // It goes on by itself; or, where that took too long, by a click, with what there was of the reply.
    await expect
      .poll(
        async () => {
          if (await chat.problem.isVisible()) await tryAgain(chat)
          return chat.page.getByRole('button', { name: 'Send' }).isVisible()
        },
        { timeout: PATIENCE_MS },
      )
      .toBe(true)
    expect((await chat.reply()).length).toBeGreaterThanOrEqual(before.length)
    expect(await chat.replies.count()).toBe(1)
    expect(await chat.questions.count()).toBe(1)
    await chat.close()
  })

  it('is the dealer, between two questions', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(page.url)
    await chat.ask('I need a hotel room.')
    await kill('dealer')
    await chat.say('In San Jose.')
    await chat.problem.waitFor()
    expect(await chat.problem.textContent()).toContain('The dealer isn’t answering')
    // It belongs to its chat.
    await chat.page.getByRole('button', { name: 'New chat' }).click()
    expect(await chat.problem.count()).toBe(0)
    await chat.page.goBack()
    await chat.problem.waitFor()
    await startDealer()
    // The server finds its way back to the dealer by itself, in its own time.
    await expect
      .poll(
        async () => {
          await tryAgain(chat)
          return chat.reply().catch(() => '')
        },
        { timeout: PATIENCE_MS },
      )
      .not.toBe('')
    await chat.close()
  })

  it('is a dealer that this page does not know', async () => {
    const chat = await ChatPage.fresh(browser)
    const other = pageConfig(addresses.server, { url: addresses.dealer, key: serverKey }, 0)
    await chat.page.route('**/config.json', (route) => route.fulfill({ json: other }))
    await chat.page.goto(page.url)
    await chat.problem.waitFor()
    expect(await chat.problem.textContent()).toContain('isn’t the dealer this page trusts')
    await chat.close()
  })
})

describe('a page that is not served securely', () => {
  it('says so instead of failing', async () => {
    const browser = await launch('--host-resolver-rules=MAP 192.0.2.1 127.0.0.1')
    const chat = await ChatPage.fresh(browser)
    await chat.page.goto(inject('url').replace('127.0.0.1', '192.0.2.1'))
    await chat.problem.waitFor()
    expect(await chat.problem.textContent()).toContain('Open it over https')
    // The browser itself says which of the page's headers count over HTTPS alone.
    expect(chat.complaints.filter((said) => !said.includes('header has been ignored'))).toEqual([])
    await browser.close()
  })
})
