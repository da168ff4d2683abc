/** Peers that send little, very often: nothing may grow without bound, hang, or throw what is not typed. */
import { concatBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { memoryCarrierPair } from '../../test/support/transport/memory.ts'
import { Acceptor, type AcceptorOptions } from './acceptor.ts'
import type { Carrier } from './carrier.ts'
import { LinkError } from './errors.ts'
import { decodeFrame, encodeFrame, FrameFlag, FrameType } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { limits } from './limits.ts'
import type { Link } from './link.ts'
import { paced } from './pace.ts'
import { readFrames } from './read-frames.ts'
import { readClose, TOKEN_BYTES } from './reliable.ts'
import { Incoming } from './stream.ts'

const empty = new Uint8Array(0)
const data = (seq: number, flags = 0, payload: Uint8Array = empty): Uint8Array =>
  encodeFrame({ type: FrameType.data, flags, seq, ack: 0, payload })
const opening = (token = 0, flags = 0): Uint8Array =>
  encodeFrame({
    type: FrameType.open,
    flags,
    seq: 0,
    ack: 0,
    payload: new Uint8Array(TOKEN_BYTES).fill(token),
  })

async function* bodyOf(...pieces: Uint8Array[]): AsyncGenerator<Uint8Array, void, void> {
  yield* pieces
}

const acceptors: Acceptor[] = []
afterEach(() => {
  for (const acceptor of acceptors.splice(0)) acceptor.close()
})

/** An answering side that takes nothing out of its links' inboxes. */
function house(options: Partial<AcceptorOptions> = {}): {
  acceptor: Acceptor
  links: Link[]
  ends: string[]
} {
  const links: Link[] = []
  const ends: string[] = []
  const acceptor = new Acceptor({
    onLink: (link) => {
      links.push(link)
      link.onEnd?.((error) => ends.push((error as LinkError).code))
    },
    ...options,
  })
  acceptors.push(acceptor)
  return { acceptor, links, ends }
}

/** A peer's end of a socket that sends whatever it likes. */
function rude(acceptor: Acceptor, peer = 'peer'): Carrier {
  const [near, far] = memoryCarrierPair()
  near.listen({ frame: () => undefined, end: () => undefined })
  acceptor.accept(far, 'memory', peer)
  return near
}

const codeOf = (answer: Uint8Array): string => {
  const frame = decodeFrame([...new FrameReader().cut(answer)][0])
  return frame.type === FrameType.close ? readClose(frame.payload).code : 'served'
}

const turn = () => new Promise((resolve) => setTimeout(resolve))

describe('a message', () => {
  test('has no empty parts', () => {
    const incoming = new Incoming()
    expect(() => incoming.accept(decodeFrame(data(1)))).toThrow(/empty/)
    expect(incoming.held).toBe(0)
    expect(incoming.accept(decodeFrame(data(1, FrameFlag.end)))?.message).toHaveLength(0)
  })

  test('in tiny parts is refused long before its bytes are too many', () => {
    const incoming = new Incoming()
    incoming.limit = 1 << 20
    const feed = () => {
      for (let seq = 1; ; seq++) incoming.accept(decodeFrame(data(seq, 0, Uint8Array.of(1))))
    }
    expect(feed).toThrow(/above the limit/)
    expect(incoming.held).toBeLessThan(2 << 20)
    expect(incoming.last).toBeLessThan(3000)
  })

  test('in as few parts as it needs is taken up to the last byte', () => {
    const incoming = new Incoming()
    incoming.limit = 3 * limits.chunkBytes
    const whole = new Uint8Array(limits.chunkBytes)
    for (const seq of [1, 2]) incoming.accept(decodeFrame(data(seq, 0, whole)))
    expect(incoming.accept(decodeFrame(data(3, FrameFlag.end, whole)))?.message).toHaveLength(
      3 * whole.length,
    )
  })

  test('keeps nothing of the memory that its parts came in', () => {
    const incoming = new Incoming()
    const pooled = new Uint8Array(1 << 16)
    pooled.set(data(1, FrameFlag.end, Uint8Array.of(5)), 100)
    const slice = pooled.subarray(100, 125)
    expect(incoming.accept(decodeFrame(slice))?.message.buffer.byteLength).toBe(1)
  })
})

describe('any stream of small frames', () => {
  const steps = fc.array(
    fc.record({
      size: fc.oneof(fc.constant(0), fc.constant(1), fc.nat(300)),
      isLast: fc.boolean(),
      skip: fc.constantFrom(1, 1, 1, 1, 1, 1, 0, 2),
      type: fc.constantFrom(1, 1, 1, 1, 1, 2, 4, 5),
      ack: fc.constantFrom(0, 0, 0, 9),
    }),
    { minLength: 1, maxLength: 12 },
  )

  test('repeated without end over a socket is bounded, and ends the link with a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (pattern, greets) => {
        const { acceptor, links, ends } = house(greets ? { firstBytes: 65_536 } : {})
        const socket = rude(acceptor)
        socket.send(opening())
        await turn()
        expect(links).toHaveLength(1)
        let seq = 0
        for (let n = 0; n < 3000 && ends.length === 0; n++) {
          const { size, isLast, skip, type, ack } = pattern[n % pattern.length]
          seq += type === FrameType.data ? skip : 0
          const payload = new Uint8Array(size)
          const flags = isLast ? FrameFlag.end : 0
          try {
            socket.send(encodeFrame({ type, flags, seq, ack, payload }))
          } catch (error) {
            expect(error).toBeInstanceOf(LinkError)
            break
          }
          if (n % 100 === 0) await turn()
          const most = greets ? limits.strangerBytes : 4_000_000
          expect(acceptor.held).toBeLessThan(most + 2 * limits.requestCost)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('repeated without end in a body is bounded, and answered', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 5000 }), async (pattern, cut) => {
        const { acceptor } = house()
        const frames = [opening()]
        for (let n = 0, seq = 0; n < 2000; n++) {
          const { size, isLast, skip, type, ack } = pattern[n % pattern.length]
          seq += type === FrameType.data ? skip : 0
          const flags = isLast ? FrameFlag.end : 0
          frames.push(encodeFrame({ type, flags, seq, ack, payload: new Uint8Array(size) }))
        }
        const whole = concatBytes(...frames)
        const pieces: Uint8Array[] = []
        for (let at = 0; at < whole.length; at += 100 * cut) pieces.push(whole.subarray(at, at + 100 * cut))
        const answer = await acceptor.post(bodyOf(...pieces), 'peer')
        expect(typeof codeOf(answer)).toBe('string')
        expect(acceptor.held).toBeLessThan(4_000_000)
      }),
      { numRuns: 25 },
    )
  })
})

describe('a stranger', () => {
  test('who sends empty messages without an introduction is cut off', async () => {
    const { acceptor, links, ends } = house({ firstBytes: 65_536 })
    const socket = rude(acceptor)
    socket.send(opening())
    await turn()
    for (let seq = 1; seq <= limits.strangerBytes / limits.messageCost + 1; seq++)
      socket.send(data(seq, FrameFlag.end))
    await expect.poll(() => ends).toEqual(['overflow'])
    expect(links).toHaveLength(1)
    expect(acceptor.size).toBe(0)
  })

  test('posts no more than an introduction, and once greeted as much as anybody', async () => {
    const { acceptor, links } = house({ firstBytes: 65_536 })
    const chunk = new Uint8Array(limits.chunkBytes)
    const large = [1, 2, 3].map((seq) => data(seq, seq === 3 ? FrameFlag.end : 0, chunk))
    expect(codeOf(await acceptor.post(bodyOf(opening(1), ...large), 'peer'))).toBe('oversized')
    expect(codeOf(await acceptor.post(bodyOf(opening(2)), 'peer'))).toBe('served')
    const greeted = links.at(-1)!
    greeted.greeted?.()
    // Its first message may not be larger than an introduction all the same.
    const small = data(1, FrameFlag.end, Uint8Array.of(1))
    expect(codeOf(await acceptor.post(bodyOf(opening(2), small), 'peer'))).toBe('served')
    const then = [2, 3, 4].map((seq) => data(seq, seq === 4 ? FrameFlag.end : 0, chunk))
    expect(codeOf(await acceptor.post(bodyOf(opening(2), ...then), 'peer'))).toBe('served')
    expect((await greeted.receive()).length).toBe(1)
    expect((await greeted.receive()).length).toBe(3 * chunk.length)
  })

  test('takes nobody’s place: of too many the oldest of the busiest address goes', async () => {
    const { acceptor, links, ends } = house({ firstBytes: 65_536, maxLinksPerPeer: 1000, maxLinks: 2 })
    for (let n = 0; n < limits.strangers; n++) {
      const answer = await acceptor.post(bodyOf(opening(n + 1)), n < 5 ? 'quiet' : 'busy')
      expect(codeOf(answer)).toBe('served')
    }
    expect(codeOf(await acceptor.post(bodyOf(opening(200)), 'late'))).toBe('served')
    expect(acceptor.size).toBe(limits.strangers)
    await turn()
    expect(ends).toEqual(['refused'])
    expect(codeOf(await acceptor.post(bodyOf(opening(6, FrameFlag.resume)), 'busy'))).toBe('unknown-link')
    // The house has its own bound, which counts those who said who they are.
    for (const link of links.slice(-3)) link.greeted?.()
    expect(acceptor.size).toBe(limits.strangers - 1)
    expect(codeOf(await acceptor.post(bodyOf(opening(201)), 'later'))).toBe('refused')
  })
})

describe('a body', () => {
  test('has a bounded number of frames', async () => {
    const { acceptor } = house()
    const pings = concatBytes(
      ...Array.from({ length: 1000 }, () =>
        encodeFrame({ type: FrameType.ping, flags: 0, seq: 0, ack: 0, payload: empty }),
      ),
    )
    const pieces = Array.from({ length: 20 }, () => pings)
    expect(codeOf(await acceptor.post(bodyOf(opening(), ...pieces), 'peer'))).toBe('oversized')
    expect(codeOf(await acceptor.post(bodyOf(opening(), pings), 'peer'))).toBe('served')
  })

  test('is read in slices, between which others have their turn', async () => {
    const frames = Array.from({ length: 10 * limits.sliceFrames }, (_, i) => data(i + 1, FrameFlag.end))
    let turns = 0
    let reading = true
    const others = () => {
      turns++
      if (reading) setImmediate(others)
    }
    setImmediate(others)
    let count = 0
    for await (const _ of readFrames(bodyOf(concatBytes(...frames)), new FrameReader())) count++
    reading = false
    expect(count).toBe(frames.length)
    expect(turns).toBeGreaterThanOrEqual(9)
  })

  test('that stops coming, or only trickles, is given up and leaves nothing behind', async () => {
    const never = new Promise<void>(() => undefined)
    async function* stalled() {
      yield opening()
      await never
    }
    async function* trickling() {
      yield opening()
      for (;;) {
        yield Uint8Array.of(0x53)
        await turn()
      }
    }
    const { acceptor } = house({ pace: { graceMs: 60, bytesPerSecond: 1e6 } })
    expect(codeOf(await acceptor.post(stalled(), 'peer'))).toBe('timeout')
    // What trickles is no frame, but that shows only when it is complete.
    const code = codeOf(await acceptor.post(trickling(), 'other'))
    expect(['timeout', 'corrupt']).toContain(code)
    acceptor.close()
    await expect.poll(() => acceptor.held).toBe(0)
  })

  test('that comes quickly may take its time afterwards, but not for ever', async () => {
    async function* body() {
      yield new Uint8Array(10_000_000)
      await new Promise<void>(() => undefined)
    }
    const read = async () => {
      for await (const _ of paced(body(), { graceMs: 30, bytesPerSecond: 1000 })) await turn()
    }
    await expect(read()).rejects.toMatchObject({ code: 'timeout' })
  })
})
