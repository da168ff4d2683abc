/** Messages that no honest party sends: each ends the session with a typed error, none with a hang or a wrong answer. */
import { describe, expect, it } from 'vitest'
import { lowbitDecoder, tinyParallel } from '../../../../test/support/protocol/lowbit.ts'
import {
  type AnyTiny,
  type TinyDecoder,
  tinyLlama,
  tinyModel,
} from '../../../../test/support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { messageBytes } from '../schedule.ts'
import type { Shape } from '../shape.ts'
import { ModelPlans } from './model-plan.ts'
import { decodePass, encodePass, encodeRequest, MAX_ROWS, type PassMessage } from './pass-messages.ts'

const typed = (code: string) => expect.objectContaining({ code, advice: expect.any(String) })

const data = (pass: number, index: number, size = 4): Uint8Array =>
  encodePass({ kind: 'data', pass, rowChunk: 0, index, payload: new Uint8Array(size) })

/** As many bytes as an honest owner sends ahead; none for shapes that are refused whatever they bring. */
const aheadOf = ({ model }: AnyTiny, shape: Shape): Uint8Array =>
  shape.rows < 1 || shape.rows > MAX_ROWS
    ? new Uint8Array()
    : new Uint8Array(messageBytes(shape, new ModelPlans(model).of(shape).schedule.messages[0]))

describe.each<[string, TinyDecoder]>([
  ['of fixed point', tinyModel({ ...tinyLlama, layers: 1 })],
  ['of few bits', lowbitDecoder(tinyParallel)],
])('in a session %s', (_, model) => {
  const begin = (pass: number, shape: Partial<Shape> = {}): Uint8Array =>
    encodeBegin(pass, { base: 0, rows: 1, serial: 10 * pass, ...shape })
  const encodeBegin = (pass: number, shape: Shape): Uint8Array =>
    encodePass({ kind: 'begin', pass, shape, payload: aheadOf(model, shape) })

  describe('a server refuses', () => {
    it.each<[string, Uint8Array[], string]>([
      ['nothing at all', [new Uint8Array()], 'malformed'],
      ['a message without a number', [Uint8Array.of(3, 1, 0)], 'malformed'],
      ['an unknown kind', [Uint8Array.of(9, 1, 0, 0, 0)], 'malformed'],
      ['text', [new TextEncoder().encode('{"t":"hello"}')], 'malformed'],
      ['a begin that is cut short', [begin(1).slice(0, 20)], 'malformed'],
      ['an abandon with something after it', [Uint8Array.of(3, 1, 0, 0, 0, 7)], 'malformed'],
      ['data without an index', [Uint8Array.of(2, 1, 0, 0, 0, 1)], 'malformed'],
      ['a row number beyond all numbers', [begin(1).fill(255, 13, 21)], 'malformed'],
      ['data of a pass that was never begun', [data(1, 1)], 'out-of-turn'],
      [
        'data of a pass that was given up',
        [begin(1), Uint8Array.of(3, 1, 0, 0, 0), data(1, 1)],
        'out-of-turn',
      ],
      ['a pass of no rows', [begin(1, { rows: 0 })], 'context'],
      ['a pass of too many rows', [begin(1, { rows: MAX_ROWS + 1 })], 'context'],
      ['a pass beyond the context', [begin(1, { base: model.config.context })], 'context'],
      ['pass 0', [begin(0)], 'replayed'],
      ['the same pass twice', [begin(1), begin(1)], 'replayed'],
      ['an older pass', [begin(2), begin(1)], 'replayed'],
      [
        'more of a pass that was never begun',
        [encodePass({ kind: 'more', pass: 1, payload: Uint8Array.of(1) })],
        'out-of-turn',
      ],
      [
        'more of a pass than it declares',
        [begin(1), encodePass({ kind: 'more', pass: 1, payload: new Uint8Array(1 << 20) })],
        'malformed',
      ],
      ['a heap of passes', [1, 2, 3, 4, 5].map((n) => begin(n)), 'out-of-turn'],
    ])('%s', async (_, messages, code) => {
      const session = new WatchedSession(model, fixedKeys(1))
      for (const message of messages) await session.link.send(message, false)
      await expect(session.server).rejects.toEqual(typed(code))
    })

    it('a pass after rows that it never saw', async () => {
      const session = new WatchedSession(model, fixedKeys(2))
      const shape = { base: 5, rows: 1, serial: 0 }
      await session.dealer.deal(encodeRequest(shape), async (chunk) => session.material.put(1, chunk))
      await session.link.send(begin(1, shape), false)
      await session.link.send(data(1, 1), true)
      await expect(session.server).rejects.toEqual(typed('out-of-turn'))
    })

    type Change = (message: PassMessage) => PassMessage
    const cut: Change = (m) => (m.kind === 'abandon' ? m : { ...m, payload: m.payload.subarray(1) })
    const pad: Change = (m) =>
      m.kind === 'abandon' ? m : { ...m, payload: new Uint8Array([...m.payload, 0]) }
    it.each<[string, PassMessage['kind'], Change, string]>([
      ['one byte fewer', 'data', cut, 'malformed'],
      ['one byte more', 'data', pad, 'malformed'],
      ['one byte fewer ahead', 'begin', cut, 'malformed'],
      ['one byte more ahead', 'begin', pad, 'malformed'],
      ['another index', 'data', (m) => ({ ...m, index: 5 }) as PassMessage, 'out-of-turn'],
      ['another pass', 'data', (m) => ({ ...m, pass: 77 }), 'out-of-turn'],
    ])('a message of an honest pass with %s', async (_name, kind, change, code) => {
      const session = new WatchedSession(model, fixedKeys(3))
      let isFirst = true
      session.onMessage = ({ from, bytes }) => {
        const message = decodePass(bytes)
        if (from !== 'owner' || message.kind !== kind || !isFirst) return undefined
        isFirst = false
        return encodePass(change(message))
      }
      session.owner.run(0, model.ends.embed([1, 2], 0)).catch(() => undefined)
      await expect(session.server).rejects.toEqual(typed(code))
      await session.link.close()
    })

    it('an honest message that comes twice', async () => {
      const session = new WatchedSession(model, fixedKeys(4))
      session.onMessage = async ({ from, bytes }) => {
        const message = decodePass(bytes)
        if (from === 'owner' && message.kind === 'data' && message.index === 5)
          await session.link.send(bytes, false)
        return undefined
      }
      session.owner.run(0, model.ends.embed([1, 2], 0)).catch(() => undefined)
      await expect(session.server).rejects.toEqual(typed('out-of-turn'))
      await session.link.close()
    })
  })

  describe('an owner refuses', () => {
    it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
      ['nothing at all', () => new Uint8Array(), 'malformed'],
      ['text', () => new TextEncoder().encode('Not found'), 'malformed'],
      ['one byte fewer', (b) => b.slice(0, -1), 'malformed'],
      ['one byte more', (b) => new Uint8Array([...b, 0]), 'malformed'],
      ['another message', (b) => Uint8Array.from(b, (v, i) => (i === 5 ? v + 2 : v)), 'out-of-turn'],
      [
        'a message of another pass',
        (b) => Uint8Array.from(b, (v, i) => (i === 1 ? v + 1 : v)),
        'out-of-turn',
      ],
      ['a pass that the server begins', () => begin(1), 'out-of-turn'],
    ])('%s in place of an answer, and ends its session', async (_, change, code) => {
      const session = new WatchedSession(model, fixedKeys(5))
      session.onMessage = ({ from, bytes }) => {
        const message = decodePass(bytes)
        return from === 'server' && message.kind === 'data' && message.index === 4 ? change(bytes) : undefined
      }
      const input = model.ends.embed([1, 2], 0)
      await expect(session.owner.run(0, input)).rejects.toEqual(typed(code))
      // Nothing goes on with shares that may be out of step.
      const before = session.wire.length
      await expect(session.owner.run(0, input)).rejects.toEqual(typed(code))
      expect(session.wire.length).toBe(before)
      await session.link.close()
    })
  })
})
