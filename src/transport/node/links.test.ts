import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { FaultInjector, faultMatrix, faultyFetch } from '../../../test/support/transport/fault.ts'
import { memoryPair } from '../../../test/support/transport/memory.ts'
import { Acceptor } from '../acceptor.ts'
import type { Carrier, Dial } from '../carrier.ts'
import { connect } from '../connect.ts'
import { dialLink } from '../dial.ts'
import { emulate } from '../emulated.ts'
import { LinkError } from '../errors.ts'
import { fetchLink } from '../fetch.ts'
import type { Link } from '../link.ts'
import { postSignal } from '../webrtc.ts'
import { openRelay, relayedDial } from '../webrtc-relay.ts'
import { webSocketDial } from '../websocket.ts'
import { answerOffer, nodeWebRtcDial } from './webrtc.ts'
import { makeWebSocket, SocketAcceptor } from './ws.ts'

const times = { resumeMs: 3000, pingMs: 100, silenceMs: 1000 }
let server: Server
let base: string
let acceptor: Acceptor
const sockets = new Set<Socket>()
const open: Link[] = []
/** Paths that the server refuses, to test the automatic choice. */
const blocked = new Set<string>()

beforeAll(async () => {
  const upgrades = new SocketAcceptor()
  acceptor = new Acceptor({ times, maxLinks: 1000, maxLinksPerPeer: 1000, onLink: (link) => void echo(link) })
  server = createServer(async (request, response) => {
    if (blocked.has(request.url!)) return response.writeHead(404).end()
    if (request.url === '/api/link/rtc') {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      const offer = Buffer.concat(parts).toString()
      return response.end(await answerOffer(offer, '127.0.0.1', (c) => acceptor.accept(c, 'webrtc', 'peer')))
    }
    response.end(await acceptor.post(request.iterator({ destroyOnReturn: false }), 'peer'))
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', async (request, socket, head) => {
    if (blocked.has('ws')) return socket.destroy()
    acceptor.accept(await upgrades.upgrade(request, socket, head), 'ws', 'peer')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  blocked.clear()
  for (const link of open.splice(0)) await link.close()
})
afterAll(() => {
  acceptor.close()
  server.closeAllConnections()
  server.close()
})

async function echo(link: Link): Promise<void> {
  try {
    for (;;) await link.send((await link.receive()).slice().reverse(), true)
  } catch (error) {
    if (!(error instanceof LinkError)) throw error
  }
}

const message = (n: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + n) & 255)

async function converse(link: Link, turns: number, size = 2000): Promise<void> {
  for (let n = 0; n < turns; n++) {
    await link.send(message(n, size), true)
    expect(Buffer.from(await link.receive()).equals(message(n, size).reverse())).toBe(true)
  }
}

const keep = <T extends Link>(link: T): T => {
  open.push(link)
  return link
}

const openers: Record<string, () => Promise<Link>> = {
  ws: () => dialLink('ws', webSocketDial(`${base}/api/link`, makeWebSocket()), times),
  fetch: () => fetchLink(`${base}/api/link`),
  webrtc: () => dialLink('webrtc', rtcDial(), times),
  'webrtc relayed through a port': () =>
    dialLink(
      'webrtc',
      relayedDial((url) => openRelay(url, rtcDial()), 'unused'),
      times,
    ),
}
const rtcCarriers: Carrier[] = []
const rtcDial = (): Dial => async () => {
  const carrier = await nodeWebRtcDial(postSignal(`${base}/api/link/rtc`), '127.0.0.1')()
  rtcCarriers.push(carrier)
  return carrier
}

describe.each(Object.keys(openers))('%s', (name) => {
  test('small, empty and large messages', async () => {
    const link = keep(await openers[name]())
    for (const size of [0, 1, 2000, 48 * 1024 + 1, 5_000_000]) await converse(link, 1, size)
    expect(link.traffic.receivedMessages).toBe(5)
  })

  test('messages without an expected reply arrive in order', async () => {
    const link = keep(await openers[name]())
    for (let n = 0; n < 20; n++) await link.send(message(n, 50), n === 19)
    for (let n = 0; n < 20; n++) expect(await link.receive()).toEqual(message(n, 50).reverse())
    await new Promise((resolve) => setTimeout(resolve, 20))
    await link.send(message(7, 9), false)
    expect(await link.receive()).toEqual(message(7, 9).reverse())
  })

  test('close ends a pending receive', async () => {
    const link = await openers[name]()
    const pending = expect(link.receive()).rejects.toMatchObject({ code: 'closed' })
    await link.close()
    await pending
  })

  test('many turns, one after another', async () => {
    const link = keep(await openers[name]())
    await converse(link, 120)
    expect(link.traffic.receivedMessages).toBe(120)
  })
})

describe('killed connections', () => {
  test.each(['ws', 'fetch'])('%s resumes', async (name) => {
    const link = keep(await openers[name]())
    for (let n = 0; n < 5; n++) {
      const sent = link.send(message(n, 100_000), true)
      setTimeout(() => sockets.forEach((socket) => void socket.destroy()), n)
      await sent
      expect(Buffer.from(await link.receive()).equals(message(n, 100_000).reverse())).toBe(true)
    }
  })

  test.each(['ws', 'webrtc', 'fetch'])(
    '%s: a server that has restarted says that it does not know the link',
    async (name) => {
      const link = keep(await openers[name]())
      await converse(link, 1)
      acceptor.forget()
      for (const socket of sockets) socket.destroy()
      for (const carrier of rtcCarriers.splice(0)) carrier.close()
      await expect(link.send(message(1, 10), true).then(() => link.receive())).rejects.toMatchObject({
        code: 'unknown-link',
      })
    },
  )

  test('webrtc resumes', async () => {
    const carriers: { close(): void }[] = []
    const dial: Dial = async () => {
      const carrier = await rtcDial()()
      carriers.push(carrier)
      return carrier
    }
    const link = keep(await dialLink('webrtc', dial, times))
    await converse(link, 1)
    carriers[0].close()
    await converse(link, 2)
    expect(link.resumes).toBe(1)
  })
})

test('fetch: one POST per round trip', async () => {
  let posts = 0
  const counting: typeof fetch = (...args) => {
    posts++
    return fetch(...args)
  }
  const link = keep(await fetchLink(`${base}/api/link`, { fetch: counting }))
  posts = 0
  await converse(link, 10)
  expect(posts).toBe(10)
})

test('fetch: every fault ends in the right answer or a typed error', async () => {
  const matrix = faultMatrix(4)
  for (const fault of matrix) {
    const injector = new FaultInjector(fault)
    try {
      const link = keep(
        await fetchLink(`${base}/api/link`, { fetch: faultyFetch(fetch, injector), resumeMs: 2000 }),
      )
      await converse(link, 3)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      expect(fault.at, `${JSON.stringify(fault)} ${error.code} ${error.message}`).toBe(0)
    }
    expect(injector.struck).toBe(true)
  }
})

describe('connect', () => {
  const options = () => ({
    webSocket: makeWebSocket(),
    webRtc: (url: string) => nodeWebRtcDial(postSignal(url), '127.0.0.1'),
  })

  test('prefers the WebSocket and says so', async () => {
    const { link, reason } = await connect(base, options())
    keep(link)
    expect(link.kind).toBe('ws')
    expect(reason).toContain('fastest')
  })

  test('falls back to WebRTC, then to fetch, with the reason', async () => {
    blocked.add('ws')
    expect(keep((await connect(base, options())).link).kind).toBe('webrtc')
    blocked.add('/api/link/rtc')
    const { link, reason } = await connect(base, options())
    expect(keep(link).kind).toBe('fetch')
    expect(reason).toContain('WebSocket')
    expect(reason).toContain('offers no WebRTC')
  })

  test.each(['ws', 'webrtc', 'fetch'] as const)('%s on request', async (choice) => {
    const { link } = await connect(base, { ...options(), link: choice })
    expect(keep(link).kind).toBe(choice)
    await converse(link, 1)
  })

  test('an absent server is a typed error', async () => {
    await expect(connect('http://127.0.0.1:9', options())).rejects.toMatchObject({
      name: 'LinkError',
      code: 'lost',
    })
  })
})

test('an emulated network delays every message by half the round trip', async () => {
  // Its clock stands still until it is told to go on.
  let clock = 1000
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock)
  try {
    for (const rtt of [20, 40]) {
      const [near, far] = memoryPair()
      const link = emulate(keep(near), { rtt })
      const passes = async (from: Link, to: Link) => {
        let hasCome = false
        await from.send(message(7, 9), true)
        const coming = to.receive().then((bytes) => {
          hasCome = true
          expect(bytes).toEqual(message(7, 9))
        })
        const settled = () => new Promise((resolve) => setTimeout(resolve, rtt))
        await settled()
        clock += rtt / 2 - 1
        await settled()
        expect(hasCome).toBe(false)
        clock += 2
        await coming
      }
      await passes(link, far)
      await passes(far, link)
    }
  } finally {
    now.mockRestore()
  }
})
