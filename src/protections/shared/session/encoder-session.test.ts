/** Sessions of an encoder: which passes they take, and how what is sent ahead of one may come in parts. */
import { describe, expect, it } from 'vitest'
import { tinyBert, tinyEncoder } from '../../../../test/support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { bucketOf, buckets } from '../../../model/buckets.ts'
import { decodePass, encodePass, encodeRequest, SerialGuard } from './pass-messages.ts'

const config = { ...tinyBert, dim: 16, heads: 2, kvHeads: 2, ff: 24, layers: 1 }
const model = tinyEncoder(config)
const text = { ids: [1, 9, 30, 2], types: [0, 0, 1, 1] }

describe('buckets', () => {
  it.each([
    [40, [16, 32, 40]],
    [512, [16, 32, 64, 128, 256, 512]],
    [2048, [16, 32, 64, 128, 256, 512]],
    [10, [10]],
  ])('of a context of %i are %o', (context, want) => {
    expect(buckets({ context })).toEqual(want)
  })

  it('hold every text up to the longest, each in the smallest that will do', () => {
    expect([1, 16, 17, 33, 40].map((n) => bucketOf(config, n))).toEqual([16, 16, 32, 40, 40])
    for (const n of [0, 41]) expect(() => bucketOf(config, n)).toThrow(RangeError)
  })
})

describe('an encoder takes', () => {
  it.each([
    ['a pass of another length than a bucket’s', { base: 0, rows: 17, serial: 0 }],
    ['a pass after cached rows', { base: 16, rows: 16, serial: 0 }],
    ['a pass longer than its context', { base: 0, rows: 64, serial: 0 }],
  ])('no %s, at dealer and server', async (_, shape) => {
    const session = new WatchedSession(model, fixedKeys(1))
    const asked = session.dealer.deal(encodeRequest(shape), async () => undefined)
    await expect(asked).rejects.toMatchObject({ code: 'context' })
    await session.link.send(encodePass({ kind: 'begin', pass: 1, shape, payload: new Uint8Array() }), false)
    await expect(session.server).rejects.toMatchObject({ code: 'context' })
  })

  it('passes one after another, each from position 0, with serials that only grow', () => {
    const guard = new SerialGuard(config.context, buckets(config))
    guard.admit({ base: 0, rows: 16, serial: 0 })
    guard.admit({ base: 0, rows: 40, serial: 16 })
    expect(() => guard.admit({ base: 0, rows: 16, serial: 55 })).toThrow('masks again')
    expect(() => new SerialGuard(config.context).admit({ base: 3, rows: 17, serial: 0 })).not.toThrow()
  })
})

it('what is sent ahead comes in parts where it is long, and the result is the same', async () => {
  const { rows, padding } = model.ends.input(text)
  const results: Float64Array[] = []
  for (const aheadBytes of [undefined, 1000]) {
    const session = new WatchedSession(model, fixedKeys(2), { aheadBytes })
    results.push(await session.owner.run(0, rows, { padding, next: 16 }))
    results.push(await session.owner.run(0, rows, { padding }))
    const ahead = session.wire.map(({ bytes }) => decodePass(bytes)).filter((m) => m.kind === 'more')
    expect(ahead.length > 0).toBe(aheadBytes !== undefined)
    await session.link.close()
  }
  for (const result of results)
    result.forEach((v, i) => {
      expect(Math.abs(v - results[0][i])).toBeLessThan(0.005)
    })
})
