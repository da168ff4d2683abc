/** What a foreign page can do through its visitors' browsers, and what a stranger is told: nothing. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { newEphemeral } from '../../src/handshake/crypto.ts'
import { toBase64Url } from '../../src/handshake/encoding.ts'
import { PROTOCOL_VERSION } from '../../src/handshake/limits.ts'
import { type Parties, startParties } from '../support/session/parties.ts'

let parties: Parties
beforeAll(async () => {
  parties = await startParties()
})
afterAll(() => parties.close())

interface Answer {
  status: number
  body: string
}

/** A request with headers as they are given: `fetch` would set its own. */
const send = (url: string, method: string, headers: Record<string, string>, body?: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, body: text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })

async function opening(): Promise<Buffer> {
  const { modelHash, planHash, profile, serverKey: serverIdentity } = parties.request()
  const ownerEphemeral = toBase64Url((await newEphemeral()).publicKey)
  const protocolVersion = PROTOCOL_VERSION
  const fields = { protocolVersion, modelHash, planHash, profile, serverIdentity, ownerEphemeral }
  return Buffer.from(JSON.stringify(fields))
}

const foreign = [
  { origin: 'http://evil.example' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
] as Record<string, string>[]

describe('a foreign page', () => {
  test.each(foreign)('%o opens no session, and takes no place', async (headers) => {
    for (let n = 0; n < 4; n++) {
      const { status, body } = await send(`${parties.dealer.url}/session`, 'POST', headers, await opening())
      expect([status, JSON.parse(body).error.code]).toEqual([403, 'foreign-page'])
    }
    expect(parties.dealer.dealer.status.sessions).toBe(0)
  })

  test.each(foreign)('%o changes nothing on any other route', async (headers) => {
    for (const path of ['/session/x/pass', '/session/x/close', '/healthz', '/'])
      expect((await send(`${parties.dealer.url}${path}`, 'POST', headers)).status).toBe(403)
    for (const path of ['/api/link', '/api/link/rtc', '/api/models'])
      expect((await send(`${parties.server.url}${path}`, 'POST', headers, Buffer.from('x'))).status).toBe(403)
  })

  test('opens no socket', async () => {
    const outcome = (url: string, headers: Record<string, string>) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url.replace('http', 'ws'), { headers })
        socket.on('open', () => {
          socket.terminate()
          resolve('open')
        })
        socket.on('error', () => resolve('refused'))
      })
    for (const headers of foreign) {
      expect(await outcome(`${parties.server.url}/api/link`, headers)).toBe('refused')
      expect(await outcome(`${parties.dealer.url}/material`, headers)).toBe('refused')
    }
    expect(await outcome(`${parties.server.url}/api/link`, { host: 'evil.example' })).toBe('refused')
    expect(await outcome(`${parties.dealer.url}/material`, { host: 'evil.example' })).toBe('refused')
    // A configured page may talk to the server, but no page is a model server.
    const page = { origin: 'http://page.example' }
    expect(await outcome(`${parties.server.url}/api/link`, page)).toBe('open')
    expect(await outcome(`${parties.dealer.url}/material`, page)).toBe('refused')
    expect(await outcome(`${parties.dealer.url}/material`, {})).toBe('open')
  })

  test('gains nothing by a name of its own for our address', async () => {
    const headers = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }
    for (const url of [`${parties.dealer.url}/session`, `${parties.server.url}/api/link`])
      expect((await send(url, 'POST', headers, await opening())).status).toBe(421)
    for (const url of [`${parties.dealer.url}/healthz`, `${parties.server.url}/api/models`])
      expect((await send(url, 'GET', headers)).status).toBe(421)
  })
})

test('a configured page on another origin, and programs without any, are served', async () => {
  const page = { origin: 'http://page.example', 'sec-fetch-site': 'cross-site' }
  for (const headers of [page, {}] as Record<string, string>[])
    expect((await send(`${parties.dealer.url}/session`, 'POST', headers, await opening())).status).toBe(200)
})

test('health is all that a stranger is told', async () => {
  expect(await send(`${parties.server.url}/healthz`, 'GET', {})).toEqual({ status: 200, body: '{"ok":true}' })
  expect(await send(`${parties.dealer.url}/healthz`, 'GET', {})).toEqual({ status: 200, body: '{"ok":true}' })
})
