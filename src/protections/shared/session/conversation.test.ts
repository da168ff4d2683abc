/** Dynamic mask discipline: whatever a conversation does, no row's masks serve twice. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { likeness } from '../../../../test/support/likeness.ts'
import { lowbitDecoder, tinyParallel } from '../../../../test/support/protocol/lowbit.ts'
import { type TinyDecoder, tinyLlama, tinyModel } from '../../../../test/support/protocol/models.ts'
import { fixedKeys, type Seen, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { floatModel } from '../../../model/graph/decoder-model.ts'
import { Cancelled } from '../../protection.ts'
import type { Shape } from '../shape.ts'
import { decodePass, decodeRequest } from './pass-messages.ts'

/** Whether logits are the float model's, as far as a profile can tell. */
type IsRight = (got: Float32Array, want: Float32Array) => boolean
const isClose: IsRight = (got, want) => Math.max(...got.map((v, i) => Math.abs(v - want[i]))) < 0.012
const models: [string, TinyDecoder, IsRight][] = [
  ['of fixed point', tinyModel({ ...tinyLlama, layers: 1 }), isClose],
  ['of few bits', lowbitDecoder(tinyParallel), (got, want) => likeness(got, want) > 0.9],
]

const begun = (wire: Seen[]): { pass: number; shape: Shape }[] =>
  wire.flatMap(({ from, bytes }) => {
    const message = decodePass(bytes)
    return from === 'owner' && message.kind === 'begin' ? [message] : []
  })

/** The shape of the pass that ran last. */
function lastRun(wire: Seen[]): Shape | undefined {
  const last = decodePass(wire.at(-1)!.bytes).pass
  return begun(wire).find((p) => p.pass === last)?.shape
}

/** Row numbers may have gaps but never go back, and the server uses those that the dealer dealt, pass by pass. */
function checkSerials(session: WatchedSession): void {
  const asked = session.requests.map(decodeRequest)
  let next = 0
  for (const { serial, rows } of asked) {
    expect(serial).toBeGreaterThanOrEqual(next)
    next = serial + rows
  }
  const passes = begun(session.wire)
  expect(passes.map((p) => p.pass)).toEqual(passes.map((_, i) => i + 1))
  expect(passes.map((p) => p.shape)).toEqual(asked)
  // No two different payloads ever travelled under one pass and message number.
  const sent = session.wire.flatMap(({ from, bytes }) => {
    const message = decodePass(bytes)
    return message.kind === 'data' ? [`${from} ${message.pass} ${message.index} ${message.rowChunk}`] : []
  })
  expect(new Set(sent).size).toBe(sent.length)
}

type Action =
  | { do: 'run'; rows: number; back: number; next: boolean; stopAt?: number }
  | { do: 'drop' }
  | { do: 'fill'; rows: number }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        do: fc.constant('run' as const),
        rows: fc.oneof(
          { weight: 3, arbitrary: fc.constant(1) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) },
        ),
        // Regenerating and editing go back some positions.
        back: fc.oneof(
          { weight: 3, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
        ),
        next: fc.boolean(),
        stopAt: fc.integer({ min: 0, max: 17 }),
      },
      { requiredKeys: ['do', 'rows', 'back', 'next'] },
    ),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'drop' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('fill' as const), rows: fc.integer({ min: 1, max: 6 }) }),
  },
)

describe.each(models)('a conversation %s that regenerates, edits and stops', (_, model, isRight) => {
  const { config } = model
  const float = floatModel(config, model.tensors)
  /** The float model's answer after these ids. */
  const expected = (ids: number[]): Float32Array => {
    float.rewind(0)
    return Float32Array.from(float.forward(ids))
  }

  it('answers rightly and never goes back in its serials', async () => {
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 10 }), async (actions) => {
        const session = new WatchedSession(model, fixedKeys(++runs))
        let cached: number[] = []
        let id = runs
        for (const a of actions) {
          if (a.do === 'drop') await session.owner.drop()
          else if (a.do === 'fill') await session.owner.pool.fill(a.rows, 2)
          else {
            const base = Math.max(0, cached.length - a.back)
            const ids = Array.from({ length: a.rows }, () => (id = (id * 5 + 3) % config.vocab))
            const stop = new AbortController()
            let messages = 0
            session.onMessage = ({ bytes }) => {
              if (decodePass(bytes).kind === 'data' && messages++ === a.stopAt) stop.abort()
              return undefined
            }
            cached = cached.slice(0, base)
            try {
              const embedded = model.ends.embed(ids, base)
              const hidden = await session.owner.run(base, embedded, { next: a.next, signal: stop.signal })
              cached.push(...ids)
              expect(lastRun(session.wire)).toMatchObject({ base, rows: ids.length })
              expect(isRight(model.ends.logits(hidden), expected(cached))).toBe(true)
            } catch (error) {
              if (!(error instanceof Cancelled)) throw error
            }
          }
        }
        await session.owner.drop()
        checkSerials(session)
        await session.link.close()
      }),
      { numRuns: 25, seed: 5 },
    )
  })

  it('burns a pass that was prepared and dropped', async () => {
    const session = new WatchedSession(model, fixedKeys(1))
    const embed = (ids: number[], base: number) => model.ends.embed(ids, base)
    await session.owner.run(0, embed([1, 2, 3], 0), { next: true })
    // Going back: the pass prepared for position 3 is not the one that is wanted now.
    await session.owner.run(1, embed([4], 1))
    checkSerials(session)
    expect(begun(session.wire).map((p) => p.shape)).toEqual([
      { base: 0, rows: 3, serial: 0 },
      { base: 3, rows: 1, serial: 3 },
      { base: 1, rows: 1, serial: 4 },
    ])
    expect(session.wire.filter((s) => decodePass(s.bytes).kind === 'abandon')).toHaveLength(1)
    expect(session.material.discarded).toContain(2)
  })
})
