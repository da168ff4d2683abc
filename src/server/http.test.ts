import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Parties, startParties } from '../../test/support/session/parties.ts'
import { pageConfig } from '../cli/page-config.ts'
import type { ModelConfig } from '../model/architectures/config.ts'
import { writeBundle } from '../model/files/bundle-node.ts'
import { type CatalogEntry, readCatalog } from '../model/files/catalog.ts'
import { randomModel } from '../model/random.ts'
import { type Listening, listen } from '../transport/node/http.ts'
import { pageApp } from './page.ts'

const config: ModelConfig = {
  arch: 'llama',
  vocab: 300,
  dim: 16,
  layers: 1,
  heads: 2,
  kvHeads: 1,
  ff: 32,
  eps: 1e-5,
  context: 64,
  ropeTheta: 10000,
  activation: 'silu',
  tied: true,
}

let folder: string
let parties: Parties
let catalog: CatalogEntry[]
let page: Listening

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  const about = { name: 'Tiny', description: 'A test.', license: 'CC0', source: 'none', profile: {} }
  const chat = { template: '', bos: 0, user: 1, assistant: 2, end: 3, stop: [3] }
  const bundle = { ...about, chat, config, tokenizer: { model: {} }, tensors: randomModel(config, 1) }
  await writeBundle(join(folder, 'models', 'tiny'), bundle)
  writeFileSync(join(folder, 'models', 'tiny', 'secret.txt'), 'secret')
  catalog = await readCatalog(join(folder, 'models'))
  const [{ hash }] = catalog
  parties = await startParties({ catalog, served: { modelHash: hash } })
  const dir = join(folder, 'page')
  mkdirSync(join(dir, 'assets'), { recursive: true })
  for (const name of ['index.html', 'embed.html']) writeFileSync(join(dir, name), '<!doctype html>')
  writeFileSync(join(dir, 'sotto-widget.js'), '')
  writeFileSync(join(dir, 'assets', 'app-1234.js'), 'export {}')
  writeFileSync(join(folder, 'outside.txt'), 'outside')
  const app = pageApp({
    dir,
    config: () => pageConfig(parties.server.url, { url: parties.dealer.url, key: 'k' }),
    embedders: [{ origin: 'https://shop.example' }],
  })
  page = await listen({ app, host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await parties.close()
  await page.close()
  rmSync(folder, { recursive: true })
})

/** A GET whose path is sent as it is: `fetch` would resolve the dots itself. */
const rawGet = (base: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base)
    request({ hostname, port, path }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
      .on('error', reject)
      .end()
  })

describe('public files', () => {
  test.each([
    ['manifest.json', 'application/json'],
    ['tokenizer.json', 'application/json'],
    ['public.safetensors', 'application/octet-stream'],
  ])('%s', async (name, type) => {
    const response = await fetch(`${parties.server.url}/api/models/tiny/${name}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain(type)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const etag = response.headers.get('etag')!
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(catalog[0].files.get(name)!.bytes)
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await fetch(response.url, {
        headers: { 'if-none-match': known, origin: 'http://page.example' },
      })
      expect(again.status).toBe(304)
      expect(again.headers.get('etag')).toBe(etag)
      expect(again.headers.get('cache-control')).toBe('no-cache')
      expect(again.headers.get('access-control-allow-origin')).toBe('http://page.example')
      expect(again.headers.get('access-control-expose-headers')).toContain('etag')
    }
    expect((await fetch(response.url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  test('the listing', async () => {
    const { models } = (await (await fetch(`${parties.server.url}/api/models`)).json()) as {
      models: object[]
    }
    expect(models).toMatchObject([{ name: 'tiny', title: 'Tiny', hash: catalog[0].hash, context: 64 }])
  })
})

describe('everything else answers 404', () => {
  const names = [
    'private.safetensors',
    'secret.txt',
    '',
    '.',
    '..',
    'Private.safetensors',
    'private.safetensors%00',
  ]
  const paths = [
    ...names.map((name) => `/api/models/tiny/${name}`),
    '/api/models/tiny/../tiny/private.safetensors',
    '/api/models/tiny/..%2ftiny%2fprivate.safetensors',
    '/api/models/tiny/%2e%2e/tiny/private.safetensors',
    '/api/models/..%2f..%2fmodels%2ftiny/private.safetensors',
    '/api/models/__proto__/constructor',
    '/models/tiny/private.safetensors',
    '/public/models/tiny/private.safetensors',
    '/private.safetensors',
    '//etc/passwd',
    '/../../../../etc/passwd',
  ]
  test.each(paths)('%s', async (path) => {
    expect(await rawGet(parties.server.url, path)).toBe(404)
    expect(await rawGet(page.url, path)).toBe(404)
    expect(await rawGet(parties.dealer.url, path)).toBe(404)
  })
  test.each(['/outside.txt', '/../outside.txt', '/..%2foutside.txt', '/assets/../../outside.txt', '/assets'])(
    'page %s',
    async (path) => {
      expect(await rawGet(page.url, path)).toBe(404)
    },
  )
})

test('a bundle whose public file holds a private tensor is not served', async () => {
  const { readFileSync } = await import('node:fs')
  const { createHash } = await import('node:crypto')
  const from = join(folder, 'models', 'tiny')
  const to = join(folder, 'leaky')
  mkdirSync(to)
  const manifest = JSON.parse(readFileSync(join(from, 'manifest.json'), 'utf8'))
  const leak = readFileSync(join(from, 'private.safetensors'))
  manifest.files['public.safetensors'] = {
    bytes: leak.length,
    sha256: createHash('sha256').update(leak).digest('hex'),
  }
  for (const [name, bytes] of [
    ['manifest.json', JSON.stringify(manifest)],
    ['tokenizer.json', readFileSync(join(from, 'tokenizer.json'))],
    ['config.json', readFileSync(join(from, 'config.json'))],
    ['public.safetensors', leak],
  ] as const) {
    writeFileSync(join(to, name), bytes)
  }
  await expect(readCatalog(to)).rejects.toThrow('which is not public')
})

describe('the page', () => {
  test('is served with a policy that names the two other parties', async () => {
    const response = await fetch(`${page.url}/`)
    expect(response.headers.get('content-type')).toContain('text/html')
    const policy = response.headers.get('content-security-policy')!
    expect(policy).toContain(
      `connect-src 'self' ${parties.server.url} ${parties.server.url.replace('http', 'ws')} ${parties.dealer.url}`,
    )
    const script = await fetch(`${page.url}/assets/app-1234.js`)
    expect(script.headers.get('content-type')).toContain('text/javascript')
    expect(script.headers.get('cache-control')).toContain('immutable')
  })

  test('has every header that other hosts are told to send', async () => {
    const docs = readFileSync(new URL('../../docs/deploying.md', import.meta.url), 'utf8')
    const block = /```\n(content-security-policy: [^`]*)```/.exec(docs)![1].replace(/\n\s+/g, ' ')
    const told = [...block.matchAll(/^([\w-]+): (.*)$/gm)].map(([, name, value]) => [name, value])
    // Its addresses are its own.
    const addressless = (policy: string | null) => policy?.replace(/connect-src [^;]*/, 'connect-src')
    const { headers } = await fetch(`${page.url}/`)
    expect(told.map(([name]) => [name, addressless(headers.get(name))])).toEqual(
      told.map(([name, value]) => [name, addressless(value)]),
    )
    expect(told.map(([name]) => name)).toEqual([
      ...['content-security-policy', 'x-content-type-options', 'referrer-policy'],
      ...['cross-origin-opener-policy', 'cross-origin-resource-policy', 'document-isolation-policy'],
    ])
    const widget = await fetch(`${page.url}/sotto-widget.js`)
    expect(widget.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
  })

  test('is framed by nobody, and its embedded views by the sites that may', async () => {
    const policy = async (path: string) =>
      (await fetch(`${page.url}${path}`)).headers.get('content-security-policy')
    expect(await policy('/')).toContain("frame-ancestors 'none'")
    expect(await policy('/embed.html')).toMatch(/frame-ancestors https:\/\/shop\.example$/)
    // A site that embeds is not one that the page may talk to.
    expect(await policy('/embed.html')).not.toMatch(/connect-src[^;]*shop/)
    const { embedders } = (await (await fetch(`${page.url}/config.json`)).json()) as { embedders: object[] }
    expect(embedders).toEqual([{ origin: 'https://shop.example' }])
    const loader = await fetch(`${page.url}/sotto-widget.js`)
    expect(loader.headers.get('access-control-allow-origin')).toBe('*')
    expect((await fetch(page.url)).headers.get('access-control-allow-origin')).toBeNull()
  })

  const noOrigins = ['https://shop.example; script-src *', 'https://shop.example/', '*', 'shop.example']
  test.each([...noOrigins, 'https://*', 'https://*.example', 'https://shop.example;sandbox'])(
    'no policy is made of %s',
    (origin) => {
      const dir = join(folder, 'page')
      expect(() => pageApp({ dir, config: () => ({}), embedders: [{ origin }] })).toThrow('is no origin')
    },
  )

  test('pins the dealer in its configuration', async () => {
    expect(await (await fetch(`${page.url}/config.json`)).json()).toMatchObject({
      protections: { shared: { dealer: { key: 'k' } } },
    })
  })
})

describe('other origins', () => {
  test.each(['server', 'dealer'] as const)('%s: only configured ones', async (party) => {
    const path = party === 'server' ? '/api/models' : '/healthz'
    const allowed = async (origin: string) => {
      const response = await fetch(`${parties[party].url}${path}`, { headers: { origin } })
      return response.headers.get('access-control-allow-origin')
    }
    expect(await allowed('http://page.example')).toBe('http://page.example')
    expect(await allowed('http://evil.example')).toBeNull()
    const preflight = await fetch(`${parties[party].url}${party === 'server' ? '/api/link' : '/session'}`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://page.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
  })

  test('a WebSocket of another page is cut off', async () => {
    const { WebSocket } = await import('ws')
    const open = (origin: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`${parties.server.url.replace('http', 'ws')}/api/link`, { origin })
        socket.on('open', () => {
          socket.close()
          resolve('open')
        })
        socket.on('error', () => resolve('refused'))
      })
    expect(await open('http://page.example')).toBe('open')
    expect(await open('http://evil.example')).toBe('refused')
  })
})

test('rubbish on the link endpoints is answered, not suffered', async () => {
  const post = (path: string, body: string) => fetch(`${parties.server.url}${path}`, { method: 'POST', body })
  expect((await post('/api/link', 'rubbish')).status).toBe(200)
  expect((await post('/api/link/rtc', 'rubbish')).status).toBe(400)
  expect((await post('/api/link/rtc', 'x'.repeat(100_000))).status).toBe(413)
  expect((await fetch(`${parties.server.url}/healthz`)).status).toBe(200)
})

test('a server is alive without its dealer, and not ready', async () => {
  const own = await startParties()
  const status = async (url: string, path: string) => (await fetch(`${url}${path}`)).status
  try {
    expect(await status(own.server.url, '/readyz')).toBe(200)
    expect(await status(own.dealer.url, '/readyz')).toBe(200)
    await own.dealer.close()
    await expect.poll(() => status(own.server.url, '/readyz')).toBe(503)
    expect(await status(own.server.url, '/livez')).toBe(200)
  } finally {
    await own.close().catch(() => undefined)
  }
})
