import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planDealtBytes } from '../src/protections/shared/cost.ts'
import { rowChunksOf } from '../src/protections/shared/row-chunks.ts'
import { messageBytes } from '../src/protections/shared/schedule.ts'
import { HEAD_BYTES } from '../src/protections/shared/session/material-stream.ts'
import { modelPlans } from '../src/protections/shared/session/model-plan.ts'
import type { Role } from '../src/protections/shared/values.ts'
import { HEADER_BYTES } from '../src/transport/frame.ts'
import { errors, expectedResults } from './expected.ts'
import { Bench, type PassFigures } from './measure.ts'
import { manifestOf, type PublicFacts, quantizedSource, sourceOf } from './shapes.ts'

/** Kind and pass number, then an index and a row chunk; `begin` carries the shape instead. */
const BEGIN_BYTES = 21
const DATA_BYTES = 8

/** The prompt before the last one is long enough for row chunks. */
const TOKENS = 40

describe.each([
  ['of fixed point', sourceOf('tiny'), 0.02],
  // Few bits of random weights: how close they come is the engine's tests' to say.
  ['of few bits', quantizedSource('tiny', 'private'), Number.POSITIVE_INFINITY],
])('a model %s', (_, source, tolerance) => {
  let bench: Bench | undefined
  let facts: PublicFacts
  let ref: Awaited<ReturnType<typeof expectedResults>>

  beforeAll(async () => {
    ref = await expectedResults(source, TOKENS)
    facts = { source, profile: ref.profile, visibility: 'private' }
    bench = await Bench.start(facts, 'ws', { rtt: 0 })
  })
  afterAll(() => bench?.stop())

  const rowsFrom = (base: number, rows: number) => ({
    base,
    embeddings: ref.embeddings.slice(base * ref.config.dim, (base + rows) * ref.config.dim),
  })

  async function declared(base: number, rows: number) {
    const shape = { base, rows, serial: 0 }
    const { plan, schedule } = modelPlans(await manifestOf(facts)).of(shape)
    const rowChunks = rowChunksOf(shape)
    const sizes = (from: Role) =>
      rowChunks
        .flatMap((rowChunk) =>
          schedule.messages.filter((m) => m.from === from).map((m) => messageBytes(rowChunk, m)),
        )
        .filter((size) => size > 0)
    const bytes = (from: Role) => sizes(from).reduce((sum, n) => sum + n, 0)
    const ups = sizes('owner').length - rowChunks.length
    const downs = sizes('server').length
    return {
      hops: schedule.hops,
      // The first of the owner's messages is sent ahead, all row chunks' at once.
      up: bytes('owner') + BEGIN_BYTES + ups * DATA_BYTES,
      down: bytes('server') + downs * DATA_BYTES,
      ups: ups + 1,
      downs,
      dealer: HEAD_BYTES + planDealtBytes(rowChunks, plan),
    }
  }

  /** What a socket carries beyond its payload: a header for each message, and now and then one that only acknowledges. */
  function expectFramed(bytes: number, payload: number, messages: number): void {
    const headers = (bytes - payload) / HEADER_BYTES
    expect(Number.isInteger(headers)).toBe(true)
    expect(headers).toBeGreaterThanOrEqual(messages)
    expect(headers).toBeLessThanOrEqual(2 * messages + 2)
  }

  test('the owner downloads less than 1 KB before its first input', async () => {
    expect(await bench!.downloads()).toBeLessThan(1024)
  })

  test.each([
    ['a prompt', 0, TOKENS - 1],
    ['a token', TOKENS - 1, 1],
  ])('%s costs at the sockets what its plan declares', async (_, base, rows) => {
    const want = await declared(base, rows)
    const pass: PassFigures = await bench!.measure(rowsFrom(base, rows), rows)
    expect(pass.hops).toBe(want.hops)
    expect(pass.upPayloadBytes).toBe(want.up)
    expect(pass.downPayloadBytes).toBe(want.down)
    expectFramed(pass.upBytes, want.up, want.ups)
    expectFramed(pass.downBytes, want.down, want.downs)
    expect(pass.dealerBytes).toBeGreaterThanOrEqual(want.dealer)
    expect(pass.dealerBytes - want.dealer).toBeLessThan(1024 + want.dealer / 1000)
    if (base + rows === TOKENS) expect(errors(pass.hidden, ref.hidden).maxAbsError).toBeLessThan(tolerance)
  })
})
