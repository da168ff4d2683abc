/** Every route, with hostile methods, headers and bodies: each is answered with a typed error, or cut, and nobody suffers. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { gunzipSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { decodeFrame, encodeFrame, FrameType } from '../../src/transport/frame.ts'
import { limits } from '../../src/transport/limits.ts'
import { readClose, TOKEN_BYTES } from '../../src/transport/reliable.ts'
import { type Parties, startParties } from '../support/session/parties.ts'

let parties: Parties
beforeAll(async () => {
  parties = await startParties({ dealer: { admission: { opensPerMinute: 1e9 } } })
})
afterAll(() => parties.close())

const id = 'ab'.repeat(16)
const routes = {
  server: [
    '/api/link',
    '/api/link/rtc',
    '/api/models',
    '/api/models/counted/manifest.json',
    '/healthz',
    '/',
    '/api/../x',
  ],
  dealer: [
    '/session',
    `/session/${id}/pass`,
    `/session/${id}/close`,
    '/material',
    '/healthz',
    '/session/__proto__/pass',
  ],
}

interface Answer {
  /** 0 where the connection was cut. */
  status: number
  body: string
}

/** What was said, whatever encoding the request had asked for. */
function decode(bytes: Buffer, encoding: string | undefined): string {
  if (bytes.length === 0 || encoding === undefined) return bytes.toString()
  return (encoding === 'gzip' ? gunzipSync : inflateSync)(bytes).toString()
}

const send = (
  url: string,
  method: string,
  headers: Record<string, string>,
  body: Uint8Array,
): Promise<Answer> =>
  new Promise((resolve) => {
    const cut = () => resolve({ status: 0, body: '' })
    try {
      const sent = request(url, { method, headers, agent: false }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part)).on('error', cut)
        response.on('end', () => {
          const text = decode(Buffer.concat(parts), response.headers['content-encoding'])
          resolve({ status: response.statusCode!, body: text })
        })
      })
      sent.on('upgrade', (_, socket) => {
        socket.destroy()
        cut()
      })
      sent.on('error', cut)
      sent.end(body)
    } catch {
      // Not even Node sends this.
      cut()
    }
  })

/** No fault of ours was met, and both still serve. */
async function expectWell(): Promise<void> {
  for (const party of [parties.server, parties.dealer])
    expect((await send(`${party.url}/healthz`, 'GET', {}, new Uint8Array())).status).toBe(200)
  expect(parties.logged.filter((line) => line.includes('request failed'))).toEqual([])
}

const latin = fc.string({
  unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
})
const value = fc.oneof(
  latin,
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e9',
    '99999999999999999999',
    'chunked',
    'gzip',
    'null',
    '*',
    'http://page.example',
  ),
  fc.constant('x'.repeat(4000)),
)
const names = [
  'origin',
  'host',
  'sec-fetch-site',
  'content-type',
  'content-encoding',
  'x-forwarded-for',
  'accept-encoding',
  'if-none-match',
  'range',
  'expect',
  'connection',
  'upgrade',
  'sec-websocket-key',
  'access-control-request-method',
  '__proto__',
]
const headers = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6, noNullPrototype: true })
const method = fc.constantFrom('GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH')
const opening = encodeFrame({ type: 3, flags: 0, seq: 0, ack: 0, payload: new Uint8Array(TOKEN_BYTES) })
const body = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.json().map((text) => Buffer.from(text)),
  fc.constant(opening),
  fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([opening, rest])),
  fc.constant(Buffer.alloc(100_000, '{')),
  fc.constant(Buffer.from('['.repeat(30_000))),
)

describe.each(['server', 'dealer'] as const)('the %s', (party) => {
  test('answers hostile requests with typed errors', async () => {
    const request = fc.tuple(fc.constantFrom(...routes[party]), method, headers, body)
    const compressed = routes[party].map((path): [string, string, Record<string, string>, Uint8Array] => [
      path,
      'PATCH',
      { 'accept-encoding': '*' },
      new Uint8Array(),
    ])
    await fc.assert(
      fc.asyncProperty(request, async ([path, verb, fields, bytes]) => {
        const { status, body: text } = await send(`${parties[party].url}${path}`, verb, fields, bytes)
        expect(status).toBeLessThan(500)
        if (status < 400 || verb === 'HEAD' || text === '') return
        const { error } = JSON.parse(text) as { error: { code: string } }
        expect(error.code).toMatch(/^[a-z-]+$/)
        expect(error.code).not.toBe('internal')
      }),
      { numRuns: 150, examples: compressed.map((example): [typeof example] => [example]) },
    )
    await expectWell()
  })

  test('survives what is no HTTP at all', async () => {
    const { hostname, port } = new URL(parties[party].url)
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.constant(
        Buffer.from(`POST /api/link HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n`),
      ),
      fc.constant(
        Buffer.from(`POST /session HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`),
      ),
      fc.constant(Buffer.from(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(3000)}\r\n`)),
      fc.constant(Buffer.from(`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`)),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (data) => {
        const socket = connect(Number(port), hostname)
        socket.on('error', () => undefined)
        await new Promise<void>((resolve) => {
          socket.on('close', () => resolve())
          socket.resume().end(data)
        })
      }),
      { numRuns: 40 },
    )
    await expectWell()
  })
})

test('announced bodies that never come take no room from others', async () => {
  const idle = Array.from({ length: 20 }, () => {
    const headers = { 'content-length': limits.postBytes }
    const post = request(`${parties.server.url}/api/link`, { method: 'POST', agent: false, headers })
    post.on('error', () => undefined)
    post.write(opening)
    return post
  })
  const { status, body: answer } = await send(`${parties.server.url}/api/link`, 'POST', {}, opening)
  expect([status, answer.includes('"code"')]).toEqual([200, false])
  for (const post of idle) post.destroy()
  await expectWell()
})

test('a large body of empty frames is turned away, and the server answers others meanwhile', async () => {
  const frame = encodeFrame({ type: 1, flags: 0, seq: 1, ack: 0, payload: new Uint8Array() })
  const flood = Buffer.concat([opening, ...Array.from({ length: 200_000 }, () => frame)])
  const attack = [1, 2, 3].map(() => send(`${parties.server.url}/api/link`, 'POST', {}, flood))
  await expectWell()
  for (const { status } of await Promise.all(attack)) expect([0, 200]).toContain(status)
  await expectWell()
})

test('the dealer’s socket for servers cuts off empty parts of a message before it knows whose they are', async () => {
  const socket = new WebSocket(`${parties.dealer.url.replace('http', 'ws')}/material`)
  const codes: string[] = []
  let isOver = false
  const over = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isOver = true
      resolve()
    })
  })
  socket.on('error', () => undefined)
  socket.on('message', (bytes: Buffer) => {
    const frame = decodeFrame(new Uint8Array(bytes))
    if (frame.type === FrameType.close) codes.push(readClose(frame.payload).code)
  })
  await new Promise<void>((resolve) => socket.on('open', () => resolve()))
  socket.send(opening)
  for (let seq = 1; seq <= 20_000 && !isOver; seq++) {
    socket.send(encodeFrame({ type: FrameType.data, flags: 0, seq, ack: 0, payload: new Uint8Array() }))
    if (seq % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await over
  // Not because its time to greet was over.
  expect(codes).toEqual(['malformed'])
  await expectWell()
})
