/** The clients that people have, against the proxy and real parties behind it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { embed, generateText, streamText } from 'ai'
import OpenAI from 'openai'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Parties } from '../../test/support/session/parties.ts'
import { startEngineParties } from '../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../../test/support/session/tiny-classifier.ts'
import { Sotto } from '../client/sotto.ts'
import { Owner } from '../owner/owner.ts'
import { type RunningProxy, startProxy } from './start.ts'

const exec = promisify(execFile)
const key = 'sk-a-key-for-this-test'
const page = 'http://page.example'

let folder: string
let parties: Parties
let proxy: RunningProxy
let client: OpenAI
const logged: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  await writeTinyBundle(folder)
  await writeTinyClassifier(folder, 'encoder', { head: undefined })
  parties = await startEngineParties(folder)
  const { dealerUrl, dealerKey } = parties.request()
  const sotto = new Sotto({
    server: parties.server.url,
    dealer: { url: dealerUrl, key: dealerKey },
    link: 'ws',
  })
  proxy = await startProxy({ sotto, host: '127.0.0.1', port: 0, key, origins: [page], log })
  client = new OpenAI({ baseURL: proxy.url, apiKey: key, maxRetries: 0 })
})
afterAll(async () => {
  await proxy.close()
  await parties.close()
  rmSync(folder, { recursive: true })
})

const messages = [{ role: 'user' as const, content: 'Hello' }]
const short = { model: 'tiny', messages, max_tokens: 4, temperature: 0 }

describe('the official client', () => {
  test('chats, whole and streamed', async () => {
    const whole = await client.chat.completions.create(short)
    const { content } = whole.choices[0].message
    expect(content).not.toBe('')
    expect(whole.usage).toMatchObject({ hops: expect.any(Number), total_tokens: expect.any(Number) })
    const stream = await client.chat.completions.create({
      ...short,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let total: number | undefined
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? ''
      total = usage?.total_tokens ?? total
    }
    expect([text, total]).toEqual([content, whole.usage?.total_tokens])
  })

  test('lists models, embeds texts, goes on with them', async () => {
    const ids: string[] = []
    for await (const { id } of client.models.list()) ids.push(id)
    expect(ids.sort()).toEqual(['encoder', 'tiny'])
    expect((await client.models.retrieve('tiny')).owned_by).toBe('sotto')
    // It asks for base64, and decodes it.
    const { data } = await client.embeddings.create({ model: 'encoder', input: ['a good film', 'sad'] })
    for (const { embedding } of data) expect(Math.hypot(...embedding)).toBeCloseTo(1, 5)
    const { choices } = await client.completions.create({ model: 'tiny', prompt: 'Hello', max_tokens: 4 })
    expect(choices[0].text).not.toBe('')
  })

  test('cancels a reply at every party when it goes away', async () => {
    const stop = vi.spyOn(Owner.prototype, 'stop')
    const long = { ...short, max_tokens: 200, temperature: 2 }
    const stream = await client.chat.completions.create({ ...long, stream: true })
    for await (const { choices } of stream) if (choices[0].delta.content) break
    await expect.poll(() => stop.mock.calls.length).toBe(1)
    stop.mockRestore()
    expect((await client.chat.completions.create(short)).choices).toHaveLength(1)
  })

  test.each<[string, () => Promise<unknown>, new (...of: never[]) => Error, string]>([
    [
      'no model',
      () => client.chat.completions.create({ ...short, model: 'x' }),
      OpenAI.NotFoundError,
      'model_not_found',
    ],
    [
      'tools',
      () => client.chat.completions.create({ ...short, n: 2 }),
      OpenAI.BadRequestError,
      'unsupported_parameter',
    ],
    [
      'too long a message',
      () =>
        client.chat.completions.create({
          ...short,
          messages: [{ role: 'user', content: 'word '.repeat(2000) }],
        }),
      OpenAI.BadRequestError,
      'context_length_exceeded',
    ],
    [
      'a wrong key',
      () => client.withOptions({ apiKey: 'sk-other' }).chat.completions.create(short),
      OpenAI.AuthenticationError,
      'invalid_api_key',
    ],
  ])('understands what is wrong: %s', async (_, call, kind, code) => {
    const error = await call().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject({ code })
  })
})

test("Vercel's AI SDK", async () => {
  const provider = createOpenAICompatible({
    name: 'sotto',
    baseURL: proxy.url,
    apiKey: key,
    includeUsage: true,
  })
  const asked = {
    model: provider('tiny'),
    prompt: 'Hello',
    maxOutputTokens: 4,
    temperature: 0,
    maxRetries: 0,
  }
  const whole = await generateText(asked)
  expect(whole.text).not.toBe('')
  const streamed = streamText(asked)
  let text = ''
  for await (const part of streamed.textStream) text += part
  expect(text).toBe(whole.text)
  expect((await streamed.usage).totalTokens).toBe(whole.usage.totalTokens)
  const { embedding } = await embed({ model: provider.textEmbeddingModel('encoder'), value: 'a good film' })
  expect(embedding).toHaveLength(32)
})

test('curl', async () => {
  const body = JSON.stringify({ ...short, stream: true })
  const bearer = ['-H', `Authorization: Bearer ${key}`, '-H', 'Content-Type: application/json']
  const { stdout } = await exec('curl', ['-sN', `${proxy.url}/chat/completions`, ...bearer, '-d', body])
  const events = stdout.trim().split('\n\n')
  expect(events.at(-1)).toBe('data: [DONE]')
  for (const event of events.slice(0, -1))
    expect(JSON.parse(event.replace(/^data: /, '')).object).toMatch(/chunk/)
})

interface Answer {
  status: number
  code: string
  allowed: string | undefined
  headers?: string
}

/** A request with headers as they are given: `fetch` would set its own. */
const send = (path: string, headers: Record<string, string>, body?: string | Buffer, method = 'POST') =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request(`${proxy.url}${path}`, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          code: text === '' ? '' : (JSON.parse(text).error?.code ?? ''),
          allowed: response.headers['access-control-allow-origin'],
          headers: response.headers['access-control-allow-headers'],
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })

const bearer = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }

describe('turns away', () => {
  test.each<[string, Record<string, string>, string | undefined, number, string]>([
    ['no key', { 'content-type': 'application/json' }, '{}', 401, 'invalid_api_key'],
    ["a name of a page's own", { ...bearer, host: 'evil.example' }, '{}', 421, 'wrong_host'],
    ['a foreign page, with the key', { ...bearer, origin: 'http://evil.example' }, '{}', 403, 'foreign_page'],
    ['a form of a page', { ...bearer, 'content-type': 'text/plain' }, '{}', 400, 'invalid_request'],
    ['what is no JSON', bearer, '{', 400, 'invalid_request'],
    ['what is no request', bearer, '[]', 400, 'invalid_request'],
  ])('%s', async (_, headers, body, status, code) => {
    expect(await send('/chat/completions', headers, body)).toEqual({ status, code, allowed: undefined })
  })

  test('bodies that are too large, and addresses that are none', async () => {
    const large = await send('/chat/completions', bearer, Buffer.alloc(9 << 20, 32))
    expect([large.status, large.code]).toEqual([413, 'request_too_large'])
    expect((await send('/images', bearer, '{}')).code).toBe('not_found')
    expect((await send('/models/none', bearer, undefined, 'GET')).code).toBe('model_not_found')
  })

  test('a host that others reach', async () => {
    const sotto = new Sotto({ server: parties.server.url })
    await expect(startProxy({ sotto, host: '0.0.0.0', port: 0, origins: [], log })).rejects.toThrow(
      RangeError,
    )
  })
})

test('a page that was named may ask, and reads the answer', async () => {
  const { status, allowed } = await send('/models', { ...bearer, origin: page }, undefined, 'GET')
  expect([status, allowed]).toEqual([200, page])
  const asking = {
    origin: page,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
  }
  const before = await send('/chat/completions', asking, undefined, 'OPTIONS')
  expect([before.status, before.allowed]).toEqual([204, page])
  expect(before.headers).toContain('x-stainless-lang')
  const other = await send('/models', { ...bearer, origin: 'http://evil.example' }, undefined, 'GET')
  expect(other.allowed).toBeUndefined()
})

test('so many requests at once are taken, and others told to come back', async () => {
  const { dealerUrl, dealerKey } = parties.request()
  const where = { server: parties.server.url, dealer: { url: dealerUrl, key: dealerKey } }
  const sotto = new Sotto({ ...where, link: 'ws' })
  const small = await startProxy({ sotto, host: '127.0.0.1', port: 0, most: 2, origins: [], log })
  const one = new OpenAI({ baseURL: small.url, apiKey: 'none', maxRetries: 0 })
  const leaving = new AbortController()
  const long = { ...short, max_tokens: 200, temperature: 2, stream: true } as const
  const running = await one.chat.completions.create(long, { signal: leaving.signal })
  const ask = () =>
    fetch(`${small.url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(short),
    })
  const answers = [ask(), ask(), ask()]
  const isRefused = (answer: Response) => (answer.status === 429 ? answer : Promise.reject(answer))
  const refused = await Promise.any(answers.map((answer) => answer.then(isRefused)))
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  const { error } = (await refused.json()) as { error: object }
  expect(error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded', param: null })
  expect(ids(await (await fetch(`${small.url}/models`)).json())).toContain('tiny')
  leaving.abort()
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, 429, 429])
  // Who left has given its place back, too.
  await expect.poll(async () => (await ask()).status).toBe(200)
  running.controller.abort()
  await small.close()
})

const ids = (list: unknown): string[] => (list as { data: { id: string }[] }).data.map(({ id }) => id)

test('a log without keys and texts', () => {
  expect(logged.length).toBeGreaterThan(0)
  expect(logged.join('')).not.toMatch(/Hello|sk-|word word/)
})
