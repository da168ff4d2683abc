/** What leaves the browser and what can be had from the servers, as the network sees it. */
import type { Browser, Request } from 'playwright'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ChatPage, launch } from './support/page.ts'

const url = inject('url')
const secret = 'Xylophone hotel, Zanzibar'
let browser: Browser
let server: string
let dealer: string

beforeAll(async () => {
  browser = await launch()
  const config = (await (await fetch(new URL('config.json', url))).json()) as {
    server: string
    protections: { shared: { dealer: { url: string } } }
  }
  server = config.server
  dealer = config.protections.shared.dealer.url
})
afterAll(() => browser.close())

describe('the network', () => {
  it('carries no private tensor, no word, and nothing to a fourth party', async () => {
    const chat = await ChatPage.fresh(browser)
    const requests: Request[] = []
    chat.page.context().on('request', (request) => requests.push(request))
    // Over fetch, every message is a request with a body that can be searched.
    await chat.connect(url, '?link=fetch')
    const reply = await chat.ask(secret)

    const origins = new Set(requests.map((request) => new URL(request.url()).origin))
    expect([...origins].sort()).toEqual([url, server, dealer].map((u) => new URL(u).origin).sort())
    expect(requests.filter((request) => request.url().includes('private'))).toEqual([])
    expect(requests.filter((request) => request.url().includes('public.safetensors'))).toHaveLength(1)

    const bodies = requests.map((request) => request.postDataBuffer()).filter((body) => body !== null)
    expect(bodies.length).toBeGreaterThan(10)
    for (const text of [secret, 'Xylophone', 'Zanzibar', reply]) {
      for (const encoding of ['utf8', 'utf16le', 'base64'] as const) {
        const needle =
          encoding === 'base64'
            ? Buffer.from(Buffer.from(text).toString('base64'))
            : Buffer.from(text, encoding)
        expect(bodies.some((body) => body.includes(needle))).toBe(false)
      }
    }
    await chat.close()
  })

  it('takes only key agreement and pass requests to the dealer', async () => {
    const chat = await ChatPage.fresh(browser)
    const sent: Request[] = []
    chat.page.context().on('request', (request) => {
      if (new URL(request.url()).origin === new URL(dealer).origin && request.method() === 'POST')
        sent.push(request)
    })
    await chat.connect(url, '?link=fetch')
    await chat.ask(secret)
    const kinds = new Set(
      sent.map((request) => new URL(request.url()).pathname.replace(/[0-9a-f]{16,}/, 'ID')),
    )
    expect(
      [...kinds].filter((kind) => !['/session', '/session/ID/pass', '/session/ID/close'].includes(kind)),
    ).toEqual([])
    const bytes = sent.reduce((sum, request) => sum + (request.postDataBuffer()?.length ?? 0), 0)
    expect(bytes / sent.length).toBeLessThan(600)
    await chat.close()
  })

  it('carries the public tensors once, then they are here', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    const again = new ChatPage(await chat.page.context().newPage())
    let downloads = 0
    again.page.context().on('request', (request) => {
      if (request.url().includes('public.safetensors')) downloads++
    })
    await again.connect(url)
    expect(downloads).toBe(0)
    await chat.close()
  })
})

describe('a private tensor', () => {
  it('cannot be had from any of the three, by any address', async () => {
    const { models } = (await (await fetch(new URL('/api/models', server))).json()) as {
      models: { name: string }[]
    }
    const [{ name }] = models
    const manifestUrl = new URL(`/api/models/${name}/manifest.json`, server)
    const manifest = (await (await fetch(manifestUrl)).json()) as {
      tensors: { name: string; visibility: string }[]
    }
    const tensors = manifest.tensors
      .filter(({ visibility }) => visibility === 'private')
      .map((tensor) => tensor.name)
    expect(tensors.length).toBeGreaterThan(0)
    const files = ['private.safetensors', 'PRIVATE.safetensors', 'private%2Esafetensors', ...tensors]
    const paths = files.flatMap((file) => [
      `/api/models/${name}/${file}`,
      `/api/models/${name}/..%2f${name}%2f${file}`,
      `/api/models/${name}/%2e%2e/${name}/${file}`,
      `/models/${name}/${file}`,
      `/public/models/${name}/${file}`,
      `/${file}`,
    ])
    const found: string[] = []
    for (const origin of [server, dealer, url]) {
      const answers = await Promise.all(paths.map((path) => fetch(origin.replace(/\/$/, '') + path)))
      found.push(
        ...answers.filter(({ status }) => status !== 404).map((answer) => `${answer.status} ${answer.url}`),
      )
    }
    expect(found).toEqual([])
  })
})

describe('the page', () => {
  it('allows itself to talk to its three origins only', async () => {
    const policy = (await fetch(url)).headers.get('content-security-policy') ?? ''
    const connect = /connect-src ([^;]*)/.exec(policy)?.[1].split(' ') ?? []
    const allowed = [server, dealer].flatMap((u) => [
      new URL(u).origin,
      new URL(u).origin.replace('http', 'ws'),
    ])
    expect(connect.sort()).toEqual(["'self'", ...allowed].sort())
    expect(policy).not.toContain('unsafe-inline')
    expect(policy).not.toContain("'unsafe-eval'")
  })

  it('shows what a model writes without running it', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    await chat.ask('<img src=x onerror="document.title=1"> **hello**')
    const hostile =
      '<img src=x onerror="document.title=\'owned\'"> [x](javascript:alert(1)) ![y](https://example.com/leak) **bold**'
    // The path that a model's reply takes from storage to the screen.
    await chat.page.evaluate(async (content) => {
      const open = indexedDB.open('sotto')
      await new Promise((resolve) => open.addEventListener('success', resolve))
      const store = open.result.transaction('conversations', 'readwrite').objectStore('conversations')
      const all = store.getAll()
      await new Promise((resolve) => all.addEventListener('success', resolve))
      type Turn = { role: string; content: string }
      const [conversation] = all.result as { id: string; turns: Record<string, Turn> }[]
      for (const turn of Object.values(conversation.turns))
        if (turn.role === 'assistant') turn.content = content
      store.put(conversation, conversation.id)
      await new Promise((resolve) => store.transaction.addEventListener('complete', resolve))
    }, hostile)
    const outside: string[] = []
    chat.page.on('request', (request) => {
      if (request.url().includes('example.com') || request.url().endsWith('/x')) outside.push(request.url())
    })
    await chat.page.reload()
    const reply = chat.replies.first().locator('.said')
    expect(await reply.locator('strong').textContent()).toBe('bold')
    expect(await reply.locator('img, script, a[href^=javascript]').count()).toBe(0)
    expect(await reply.textContent()).toContain('<img src=x')
    expect(await chat.page.title()).not.toContain('owned')
    expect(outside).toEqual([])
    expect(chat.complaints).toEqual([])
    await chat.close()
  })
})
