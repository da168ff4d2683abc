/** Rows used before are refused, by dealer and server alike. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tinyLlama, tinyModel } from '../../../../test/support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { messageBytes } from '../schedule.ts'
import type { Shape } from '../shape.ts'
import { ModelPlans } from './model-plan.ts'
import { decodeRequest, encodePass, encodeRequest, MAX_ROWS, SerialGuard } from './pass-messages.ts'

const model = tinyModel({ ...tinyLlama, layers: 1 })
/** As many bytes as an honest owner sends ahead; none for shapes that are refused whatever they bring. */
const ahead = (shape: Shape): Uint8Array =>
  shape.rows < 1 || shape.rows > MAX_ROWS
    ? new Uint8Array()
    : new Uint8Array(messageBytes(shape, new ModelPlans(model.model).of(shape).schedule.messages[0]))

describe('rows used before are refused', () => {
  const shape = { base: 0, rows: 2, serial: 4 }
  const again: Shape[] = [
    shape,
    { base: 5, rows: 2, serial: 4 },
    { base: 0, rows: 1, serial: 5 },
    { base: 0, rows: 9, serial: 0 },
  ]

  it.each(again)('by the dealer: %j', async (second) => {
    const { dealer } = new WatchedSession(model, fixedKeys(2))
    let bytes = 0
    const sink = async (chunk: Uint8Array): Promise<void> => {
      bytes += chunk.length
    }
    await dealer.deal(encodeRequest(shape), sink)
    const before = bytes
    await expect(dealer.deal(encodeRequest(second), sink)).rejects.toMatchObject({ code: 'replayed' })
    expect(bytes).toBe(before)
    await dealer.deal(encodeRequest({ base: 0, rows: 1, serial: 6 }), sink)
    expect(bytes).toBeGreaterThan(before)
  })

  it.each(again)('by the server: %j', async (second) => {
    const session = new WatchedSession(model, fixedKeys(3))
    await session.link.send(encodePass({ kind: 'begin', pass: 1, shape, payload: ahead(shape) }), false)
    await session.link.send(
      encodePass({ kind: 'begin', pass: 2, shape: second, payload: ahead(second) }),
      false,
    )
    await expect(session.server).rejects.toMatchObject({ code: 'replayed' })
  })

  it('by the server: a pass number that was begun before, also after it was given up', async () => {
    const session = new WatchedSession(model, fixedKeys(4))
    const begin = (serial: number): Uint8Array =>
      encodePass({ kind: 'begin', pass: 1, shape: { ...shape, serial }, payload: ahead(shape) })
    await session.link.send(begin(0), false)
    await session.link.send(encodePass({ kind: 'abandon', pass: 1 }), false)
    await session.link.send(begin(10), false)
    await expect(session.server).rejects.toMatchObject({ code: 'replayed' })
  })

  it('in any order of admissions: the guard lets every serial through once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ serial: fc.nat(60), rows: fc.integer({ min: 1, max: 8 }) }), { maxLength: 30 }),
        (shapes) => {
          const guard = new SerialGuard(64)
          const used = new Set<number>()
          for (const { serial, rows } of shapes) {
            try {
              guard.admit({ base: 0, serial, rows })
            } catch {
              continue
            }
            for (let r = serial; r < serial + rows; r++) {
              expect(used.has(r)).toBe(false)
              used.add(r)
            }
          }
        },
      ),
    )
  })

  it.each([
    { base: 0, rows: 0, serial: 0 },
    { base: 0, rows: MAX_ROWS + 1, serial: 0 },
    { base: 100, rows: 29, serial: 0 },
    { base: 2 ** 32 - 1, rows: 1, serial: 0 },
  ])('and rows that do not fit: %j', (bad) => {
    expect(() => new SerialGuard(128).admit(bad)).toThrow(expect.objectContaining({ code: 'context' }))
  })

  it('and row numbers that a float cannot tell from their neighbours', () => {
    const last = Number.MAX_SAFE_INTEGER - MAX_ROWS
    expect(decodeRequest(encodeRequest({ base: 0, rows: 1, serial: last })).serial).toBe(last)
    for (const serial of [last + 1, Number.MAX_SAFE_INTEGER])
      expect(() => decodeRequest(encodeRequest({ base: 0, rows: 1, serial }))).toThrow('too large')
  })
})
