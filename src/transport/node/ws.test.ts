import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createRelay, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import type { Carrier } from '../carrier.ts'
import { webSocketDial } from '../websocket.ts'
import { makeWebSocket, SocketAcceptor } from './ws.ts'

const sockets = new SocketAcceptor()
const accepted: Carrier[] = []
const server = createServer()
server.on('upgrade', async (request, socket, head) => {
  accepted.push(await sockets.upgrade(request, socket, head))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
afterAll(() => {
  sockets.close()
  server.close()
})
const dial = webSocketDial(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, makeWebSocket())

const frame = Uint8Array.from({ length: 40_000 }, (_, i) => i * 7)

test.each(['dialling', 'answering'] as const)('the %s side hears when its socket has room', async (side) => {
  const near = await dial()
  const far = accepted.pop()!
  const [from, to] = side === 'dialling' ? [near, far] : [far, near]
  let got = 0
  let wrong = 0
  to.listen({
    frame: (bytes) => {
      got++
      if (Buffer.compare(bytes, frame) !== 0) wrong++
    },
    end: () => undefined,
  })
  const frames = 400
  for (let i = 0; i < frames; i++) from.send(frame)
  expect(from.buffered).toBeGreaterThan(1 << 20)
  await from.drained(1 << 20)
  expect(from.buffered).toBeLessThanOrEqual(1 << 20)
  await from.drained(0)
  expect(from.buffered).toBe(0)
  while (got < frames) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(wrong).toBe(0)
  near.close()
})

test('nobody waits for a socket that has closed', async () => {
  const near = await dial()
  const far = accepted.pop()!
  far.listen({ frame: () => undefined, end: () => undefined })
  for (let i = 0; i < 400; i++) near.send(frame)
  const waiting = near.drained(0)
  near.close()
  await waiting
  await near.drained(0)
})

test('nobody waits for a socket that was closed because its network is dead', async () => {
  // Carries bytes until it is told to stop, without a word to either side.
  const ends: Socket[] = []
  const relay = createRelay((near) => {
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const end of [near, far]) end.on('error', () => undefined)
    ends.push(near, far)
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`
  const near = await webSocketDial(url, makeWebSocket())()
  for (const end of ends) end.unpipe().pause()
  for (let i = 0; i < 1000; i++) near.send(frame)
  const waiting = near.drained(0)
  expect(near.buffered).toBeGreaterThan(0)
  near.close()
  await waiting
  for (const end of ends) end.destroy()
  relay.close()
})
