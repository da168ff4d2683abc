import { afterEach, describe, expect, test } from 'vitest'
import { FaultInjector, faultMatrix, faultyDial } from '../../test/support/transport/fault.ts'
import { memoryCarrierPair, memoryPair } from '../../test/support/transport/memory.ts'
import { Acceptor } from './acceptor.ts'
import type { Carrier, Dial } from './carrier.ts'
import { dialLink } from './dial.ts'
import { LinkError } from './errors.ts'
import { decodeFrame, encodeFrame, FrameFlag, FrameType } from './frame.ts'
import { limits } from './limits.ts'
import type { Link } from './link.ts'
import { TOKEN_BYTES } from './reliable.ts'
import type { StreamLink } from './stream-link.ts'

const quick = { resumeMs: 400, pingMs: 30, silenceMs: 150, vanishedMs: 60_000, handshakeMs: 500 }
const open: Link[] = []
afterEach(async () => {
  for (const link of open.splice(0)) await link.close()
})

/** A server that answers every message with its reversal. */
function echo() {
  const links: Link[] = []
  const acceptor = new Acceptor({
    times: quick,
    onLink: async (link) => {
      links.push(link)
      open.push(link)
      try {
        for (;;) await link.send((await link.receive()).slice().reverse(), true)
      } catch (error) {
        if (!(error instanceof LinkError)) throw error
      }
    },
  })
  const carriers: Carrier[] = []
  const dial: Dial = async () => {
    const [near, far] = memoryCarrierPair()
    carriers.push(near)
    acceptor.accept(far, 'memory', '127.0.0.1')
    return near
  }
  return { dial, carriers, links, acceptor }
}

const message = (n: number, size = 100): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + n) & 255)

async function converse(link: Link, turns: number, size = 100): Promise<void> {
  for (let n = 0; n < turns; n++) {
    await link.send(message(n, size), true)
    expect(Buffer.from(await link.receive()).equals(message(n, size).reverse())).toBe(true)
  }
}

describe('stream link', () => {
  test('of a peer that has vanished, socket open, nothing is left; one that only pings stays', async () => {
    const links: Link[] = []
    const acceptor = new Acceptor({
      times: { ...quick, resumeMs: 50, vanishedMs: 200 },
      onLink: (link) => void links.push(link),
    })
    const dial: Dial = async () => {
      const [near, far] = memoryCarrierPair()
      acceptor.accept(far, 'memory', '127.0.0.1')
      return near
    }
    const alive = await dialLink('memory', dial, quick)
    open.push(alive)
    const vanished = await dialLink('memory', dial, {
      ...quick,
      pingMs: 60_000,
      silenceMs: 120_000,
      resumeMs: 0,
    })
    // Nobody is there to dial again, either.
    const received = expect(links[1].receive()).rejects.toMatchObject({ code: 'lost' })
    Object.assign(vanished, { disconnected: () => undefined })
    await received
    expect(acceptor.size).toBe(1)
    await alive.send(message(1), true)
    expect(await links[0].receive()).toHaveLength(100)
  })

  test('messages of every size arrive in order and are counted', async () => {
    const { dial } = echo()
    const link = await dialLink('memory', dial, quick)
    open.push(link)
    for (const size of [0, 1, limits.chunkBytes, limits.chunkBytes + 1, 3_000_000])
      await converse(link, 1, size)
    expect(link.traffic.sentMessages).toBe(5)
    expect(link.traffic.receivedMessages).toBe(5)
    expect(link.traffic.sentPayloadBytes).toBe(link.traffic.receivedPayloadBytes)
    expect(link.traffic.sentBytes).toBeGreaterThan(link.traffic.sentPayloadBytes)
  })

  test('a killed socket is replaced and nothing is lost or doubled', async () => {
    const { dial, carriers } = echo()
    const link = await dialLink('memory', dial, quick)
    open.push(link)
    for (let n = 0; n < 10; n++) {
      const sent = link.send(message(n), true)
      carriers.at(-1)!.close()
      await sent
      expect(await link.receive()).toEqual(message(n).reverse())
    }
    expect(link.resumes).toBeGreaterThanOrEqual(9)
    expect(link.traffic.receivedMessages).toBe(10)
  })

  test('frames that are sent again are identical', async () => {
    const { dial } = echo()
    const seen = new Map<number, Uint8Array>()
    let repeated = 0
    const spying: Dial = async () => {
      const inner = await dial()
      return {
        buffered: 0,
        drained: (low) => inner.drained(low),
        listen: (handlers) => inner.listen(handlers),
        close: () => inner.close(),
        send: (frame) => {
          const seq = frame[3] === FrameType.data ? decodeFrame(frame).seq : 0
          const before = seen.get(seq)
          if (seq === 0) return inner.send(frame)
          if (!before) {
            seen.set(seq, frame.slice())
            return inner.close()
          }
          repeated++
          expect(frame).toEqual(before)
          inner.send(frame)
        },
      }
    }
    const link = await dialLink('memory', spying, quick)
    open.push(link)
    await converse(link, 5)
    expect(repeated).toBe(5)
  })

  test('without the other side the link is lost, with a typed error and no hang', async () => {
    const { dial, carriers } = echo()
    let gone = false
    const link = await dialLink('memory', () => (gone ? Promise.reject(new Error('down')) : dial()), quick)
    gone = true
    carriers[0].close()
    await expect(link.receive()).rejects.toMatchObject({ name: 'LinkError', code: 'lost' })
    await expect(link.send(message(0), true)).rejects.toMatchObject({ code: 'lost' })
  })

  test('a restarted server does not know the link', async () => {
    const first = echo()
    const second = echo()
    let dial = first.dial
    const link = await dialLink('memory', () => dial(), quick)
    dial = second.dial
    first.carriers[0].close()
    await expect(link.receive()).rejects.toMatchObject({ code: 'unknown-link' })
  })

  test('close reaches the other side', async () => {
    const { dial, links } = echo()
    const link = await dialLink('memory', dial, quick)
    await link.close('done')
    await expect(links[0].receive()).rejects.toMatchObject({ code: 'closed' })
    await expect(link.receive()).rejects.toMatchObject({ code: 'closed' })
  })

  test('the number of links is bounded', async () => {
    const acceptor = new Acceptor({ onLink: () => undefined, maxLinksPerPeer: 2 })
    const dial: Dial = async () => {
      const [near, far] = memoryCarrierPair()
      acceptor.accept(far, 'memory', 'peer')
      return near
    }
    open.push(await dialLink('memory', dial), await dialLink('memory', dial))
    await expect(dialLink('memory', dial)).rejects.toMatchObject({ code: 'refused' })
  })

  test('a sender cannot outrun a receiver without bound', async () => {
    const links: Link[] = []
    const acceptor = new Acceptor({ onLink: (link) => void links.push(link) })
    const link = await dialLink('memory', async () => {
      const [near, far] = memoryCarrierPair()
      acceptor.accept(far, 'memory', 'peer')
      return near
    })
    open.push(link)
    let accepted = 0
    const flood = (async () => {
      for (let n = 0; n < 80; n++) {
        await link.send(new Uint8Array(1_000_000), false)
        accepted++
      }
    })()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(accepted * 1_000_000).toBeLessThan(2.5 * (limits.windowBytes + limits.inboxBytes))
    for (let n = 0; n < 80; n++) expect((await links[0].receive()).length).toBe(1_000_000)
    await flood
  })
})

test('memory pair: order, counters, close', async () => {
  const [a, b] = memoryPair()
  await a.send(message(1), false)
  await a.send(message(2), true)
  expect(await b.receive()).toEqual(message(1))
  expect(await b.receive()).toEqual(message(2))
  expect(a.traffic.sentBytes).toBe(b.traffic.receivedBytes)
  await a.close()
  await expect(b.receive()).rejects.toMatchObject({ code: 'closed' })
})

describe('fault matrix of the stream link', () => {
  const matrix = faultMatrix(5)
  // A machine that is busy with other things resumes late.
  const patient = { ...quick, resumeMs: 120_000, handshakeMs: 2000 }
  test(`${matrix.length} faults end in the right answer or a typed error`, async () => {
    const outcomes = { right: 0, typed: 0, untouched: 0 }
    await Promise.all(
      matrix.map(async (fault) => {
        const injector = new FaultInjector(fault)
        const { dial } = echo()
        try {
          const link = await dialLink('memory', faultyDial(dial, injector), patient)
          open.push(link)
          await converse(link, 4)
          outcomes[injector.struck ? 'right' : 'untouched']++
        } catch (error) {
          if (!(error instanceof LinkError)) throw error
          // Only the very first handshake has nothing to resume.
          expect(fault.at, `${JSON.stringify(fault)} ${error.message}`).toBe(0)
          outcomes.typed++
        }
      }),
    )
    expect(outcomes.untouched).toBe(0)
    expect(outcomes.right).toBeGreaterThanOrEqual(matrix.length - 12)
  })
})

describe('a rude peer', () => {
  test.each([
    ['garbage', Uint8Array.of(7)],
    [
      'an opening frame',
      encodeFrame({ type: FrameType.open, flags: 0, seq: 0, ack: 0, payload: new Uint8Array(TOKEN_BYTES) }),
    ],
  ])('that sends %s and hangs up before it can be answered harms nobody', (_, bytes) => {
    const gone: Carrier = {
      buffered: 0,
      drained: () => Promise.resolve(),
      send: () => {
        throw new LinkError('lost', 'The socket is not open.')
      },
      listen(handlers) {
        handlers.frame(bytes)
        handlers.end('closed')
      },
      close: () => undefined,
    }
    const { acceptor } = echo()
    expect(() => acceptor.accept(gone, 'memory', '127.0.0.1')).not.toThrow()
    acceptor.close()
  })

  test('that begins with more than an introduction is cut off', async () => {
    const got: number[] = []
    const acceptor = new Acceptor({
      times: quick,
      firstBytes: 100,
      onLink: async (link) => {
        for (let n = 0; n < 2; n++) {
          got.push((await link.receive().catch(() => new Uint8Array())).length)
          link.greeted?.()
        }
      },
    })
    const dial: Dial = async () => {
      const [near, far] = memoryCarrierPair()
      acceptor.accept(far, 'memory', '127.0.0.1')
      return near
    }
    const polite = await dialLink('memory', dial, quick)
    open.push(polite)
    await polite.send(message(0, 100), false)
    await expect.poll(() => got).toEqual([100])
    await polite.send(message(0, 200_000), false)
    await expect.poll(() => got).toEqual([100, 200_000])
    const rude = await dialLink('memory', dial, quick)
    await rude.send(message(0, 101), false)
    await expect(rude.receive()).rejects.toMatchObject({ code: 'oversized' })
  })

  test('that ignores its window is cut off', async () => {
    const ends: LinkError[] = []
    const acceptor = new Acceptor({
      times: quick,
      // Takes nothing out of its inbox.
      onLink: (link) => (link as StreamLink).onEnd((error) => ends.push(error)),
    })
    const [near, far] = memoryCarrierPair()
    near.listen({ frame: () => undefined, end: () => undefined })
    acceptor.accept(far, 'memory', '127.0.0.1')
    const token = new Uint8Array(TOKEN_BYTES)
    near.send(encodeFrame({ type: FrameType.open, flags: 0, seq: 0, ack: 0, payload: token }))
    const payload = new Uint8Array(limits.chunkBytes)
    const most = limits.inboxBytes + limits.windowBytes + 2 * limits.messageBytes
    for (let seq = 1; (seq - 1) * payload.length <= most && ends.length === 0; seq++) {
      near.send(encodeFrame({ type: FrameType.data, flags: FrameFlag.end, seq, ack: 0, payload }))
      if (seq % 100 === 0) await new Promise((resolve) => setTimeout(resolve))
    }
    await expect.poll(() => ends[0]?.code).toBe('overflow')
    expect(acceptor.size).toBe(0)
  })
})
