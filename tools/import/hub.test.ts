/** Against a server that behaves like the hub: metadata and a redirect for large files, ranges behind it. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newFolder, smallConfigs, writeFolder } from '../../test/support/checkpoint-folder.ts'
import { fetchModel, isHubName } from './hub.ts'
import { importModel } from './import-model.ts'

let root: string
let server: Server
let endpoint: string
let asked: string[]
/** Changes an answer before it is sent. */
let spoil: (file: string, attempt: number) => { cut?: number; flip?: boolean; status?: number } | undefined
const attempts = new Map<string, number>()

beforeEach(async () => {
  root = newFolder()
  asked = []
  attempts.clear()
  spoil = () => undefined
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(root, { recursive: true })
})

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, where, org, , , file] =
    /^\/(?:(store)\/)?(org)\/(model)\/resolve\/([^/]+)\/(.+)$/.exec(request.url ?? '') ?? []
  const path = join(root, 'model', file ?? 'nothing')
  if (!org || !existsSync(path)) return void response.writeHead(404).end('Entry not found')
  const bytes = readFileSync(path)
  const isLarge = file.endsWith('.safetensors')
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const blob = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
  if (isLarge && !where) {
    const headers = {
      location: `/store${request.url}`,
      'x-linked-etag': `"${sha256}"`,
      'x-linked-size': bytes.length,
    }
    return void response.writeHead(302, headers).end()
  }
  const attempt = attempts.get(file) ?? 0
  attempts.set(file, attempt + 1)
  const spoilt = spoil(file, attempt)
  if (spoilt?.status) return void response.writeHead(spoilt.status).end()
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  asked.push(`${file} ${from}`)
  if (from >= bytes.length) return void response.writeHead(416).end()
  const body = bytes.subarray(from)
  if (spoilt?.flip) body[body.length >> 1] ^= 1
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': body.length,
    etag: isLarge ? '"store"' : `"${blob}"`,
  })
  if (spoilt?.cut === undefined) return void response.end(body)
  response.write(body.subarray(0, spoilt.cut), () => response.destroy())
}

const model = (shards = 1) => writeFolder(join(root, 'model'), { config: smallConfigs.llama, shards })
const fetch = () => fetchModel('org/model', { endpoint, cache: join(root, 'cache') })
const same = (dir: string, file: string) =>
  expect(readFileSync(join(dir, file)).equals(readFileSync(join(root, 'model', file)))).toBe(true)

test('a model is fetched once, and what was fetched can be imported', async () => {
  model(2)
  const dir = await fetch()
  for (const file of readdirSync(join(root, 'model'))) same(dir, file)
  const count = asked.length
  expect(await fetch()).toBe(dir)
  expect(asked.length).toBe(count)
  const { parameters } = await importModel({ from: dir, out: join(root, 'bundle') })
  expect(parameters).toBe(8720)
})

test('a download that stops goes on where it stopped', async () => {
  model()
  spoil = (file, attempt) => (file === 'model.safetensors' && attempt < 2 ? { cut: 5000 } : undefined)
  same(await fetch(), 'model.safetensors')
  const from = asked
    .filter((line) => line.startsWith('model.safetensors'))
    .map((line) => Number(line.split(' ')[1]))
  // What was under way when the connection broke may be lost.
  expect(from.length).toBe(3)
  expect(from[0]).toBe(0)
  expect(from[1]).toBeLessThanOrEqual(5000)
  expect(from[2]).toBeGreaterThanOrEqual(from[1])
  expect(from[2]).toBeLessThanOrEqual(from[1] + 5000)
})

test('a later run goes on as well', async () => {
  model()
  const dir = await fetch()
  const path = join(dir, 'model.safetensors')
  writeFileSync(`${path}.part`, readFileSync(path))
  truncateSync(`${path}.part`, 1234)
  rmSync(path)
  await fetch()
  same(dir, 'model.safetensors')
  expect(asked.at(-1)).toBe('model.safetensors 1234')
})

test.each(['model.safetensors', 'config.json'])(
  'one wrong bit in %s is noticed, and it is fetched again',
  async (wrong) => {
    model()
    spoil = (file, attempt) => ({ flip: file === wrong && attempt === 0 })
    same(await fetch(), wrong)
    expect(asked.filter((line) => line.startsWith(wrong))).toEqual([`${wrong} 0`, `${wrong} 0`])
  },
)

test('what stays wrong is refused and not kept', async () => {
  model()
  spoil = (file) => ({ flip: file === 'config.json' })
  await expect(fetch()).rejects.toMatchObject({ fault: 'hub', message: expect.stringContaining('checksum') })
  const [dir] = readdirSync(join(root, 'cache'))
  expect(readdirSync(join(root, 'cache', dir))).toEqual([])
})

test('the store that sends the bytes has no say in what they should be', async () => {
  model()
  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (String(input).startsWith('http://store.test/')) {
      const bytes = Uint8Array.from(readFileSync(join(root, 'model', 'model.safetensors')))
      bytes[bytes.length - 1] ^= 1
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      return new Response(bytes, { headers: { 'x-linked-etag': `"${sha256}"`, etag: `"${sha256}"` } })
    }
    const response = await globalThis.fetch(input, init)
    const to = response.headers.get('location')
    if (!to) return response
    const headers = new Headers(response.headers)
    headers.set('location', `http://store.test${to}`)
    return new Response(null, { status: response.status, headers })
  }
  const wrong = fetchModel('org/model', { endpoint, cache: join(root, 'cache'), fetch })
  await expect(wrong).rejects.toThrow('checksum')
})

test('what one mirror or revision gave is not taken for what another has', async () => {
  model()
  const cache = join(root, 'cache')
  const from = (revision: string, at = endpoint) => fetchModel('org/model', { endpoint: at, cache, revision })
  const other = endpoint.replace('127.0.0.1', 'localhost')
  const dirs = [await from('a_b'), await from('main'), await from('main', other)]
  expect(new Set(dirs).size).toBe(3)
  await expect(from('a/b')).resolves.not.toBe(dirs[0])
})

test('a model that is not there, without weights, or gated', async () => {
  await expect(fetch()).rejects.toThrow('has no model "org/model"')
  model()
  rmSync(join(root, 'model', 'model.safetensors'))
  await expect(fetch()).rejects.toThrow('no safetensors')
  spoil = (file) => (file === 'vocab.txt' ? undefined : { status: 403 })
  rmSync(join(root, 'cache'), { recursive: true })
  await expect(fetch()).rejects.toThrow('gated')
})

test('names of the hub', () => {
  for (const name of ['org/model', 'gpt2', 'a-b/c.d_e']) expect(isHubName(name)).toBe(true)
  for (const name of ['./x', '../x', 'a/b/c', '/abs', 'a//b', '']) expect(isHubName(name)).toBe(false)
})
