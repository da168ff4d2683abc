import pino from 'pino'
import { expect, test } from 'vitest'
import { memoryPair } from '../../test/support/transport/memory.ts'
import { utf8 } from '../handshake/encoding.ts'
import { PROTOCOL_VERSION } from '../handshake/limits.ts'
import type { Serving } from '../protections/serving.ts'
import type { Link } from '../transport/link.ts'
import { Sessions } from './sessions.ts'

const hello = utf8(
  JSON.stringify({ t: 'hello', protocolVersion: PROTOCOL_VERSION, modelHash: 'ab'.repeat(32) }),
)

/** Greets everybody, and answers every message with itself. */
const echo = {
  greet: async (link: Link) => {
    await link.send(utf8('welcome'), true)
    return async () => {
      for (;;) await link.send((await link.receive()).slice(), true)
    }
  },
} as unknown as Serving

test('a server that is stopped finishes what is going on, and takes nothing new', async () => {
  const sessions = new Sessions({ servings: { of: () => echo }, log: pino({ level: 'silent' }) })
  const come = async () => {
    const [own, other] = memoryPair()
    void sessions.serve(other, 'owner')
    await own.send(hello, true)
    return { own, answer: Buffer.from(await own.receive()).toString() }
  }
  const { own, answer } = await come()
  expect(answer).toBe('welcome')
  let isDrained = false
  const drained = sessions.drain(600_000, 1500).then(() => {
    isDrained = true
  })
  expect(JSON.parse((await come()).answer)).toMatchObject({ t: 'refused', code: 'restarting' })
  for (let n = 0; n < 20; n++) {
    await own.send(Uint8Array.of(n), true)
    expect((await own.receive())[0]).toBe(n)
  }
  expect(isDrained).toBe(false)
  await drained
  await expect(own.receive()).rejects.toMatchObject({
    because: 'restarting',
    message: expect.stringContaining('replaced'),
  })
})

test('a message that takes long to answer is no silence', async () => {
  let answer = () => undefined as unknown
  const slow = {
    greet: async (link: Link) => {
      await link.send(utf8('welcome'), true)
      return async () => {
        for (;;) {
          const message = await link.receive()
          await new Promise((resolve) => {
            answer = () => resolve(undefined)
          })
          await link.send(message.slice(), true)
        }
      }
    },
  } as unknown as Serving
  const sessions = new Sessions({ servings: { of: () => slow }, log: pino({ level: 'silent' }) })
  const [own, other] = memoryPair()
  void sessions.serve(other, 'owner')
  await own.send(hello, true)
  await own.receive()
  await own.send(Uint8Array.of(7), true)
  const drained = sessions.drain(600_000, 20)
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(sessions.count).toBe(1)
  answer()
  expect((await own.receive())[0]).toBe(7)
  await drained
})
