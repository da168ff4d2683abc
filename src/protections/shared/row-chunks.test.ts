import { describe, expect, it, vi } from 'vitest'
import { capturedMaterial, capturedMessages } from '../../../test/support/protocol/capture.ts'
import {
  type AnyTiny,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
} from '../../../test/support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../../../test/support/protocol/session.ts'
import { rowChunksOf } from './row-chunks.ts'
import { count, type Layout, type Shape, span } from './shape.ts'

const together = vi.hoisted(() => ({ isOn: false }))
vi.mock('./row-chunks.ts', async (original) => {
  const real = await original<typeof import('./row-chunks.ts')>()
  return { rowChunksOf: (pass: Shape) => (together.isOn ? [pass] : real.rowChunksOf(pass)) }
})

const causal = { base: 3, rows: 77, serial: 40, goal: 'bytes' as const }
const encoder = { base: 0, rows: 64, serial: 5, seen: 64 }

describe('row chunks', () => {
  it.each([
    ['causal', causal],
    ['bidirectional', encoder],
  ])('of a %s pass are its rows, in order, under the same serials', (_, pass) => {
    const rowChunks = rowChunksOf(pass)
    const rows = (shape: Shape) =>
      Array.from({ length: shape.rows }, (_, r) => [shape.base + r, shape.serial + r, span(shape, r)])
    expect(rowChunks.length).toBeGreaterThan(1)
    expect(rowChunks.flatMap(rows)).toEqual(rows(pass))
    for (const layout of ['row', 'pair', 'last', 'lastPair'] as Layout[])
      expect(rowChunks.reduce((sum, rowChunk) => sum + count(rowChunk, layout, 3), 0)).toBe(
        count(pass, layout, 3),
      )
  })

  it('are for long passes only', () => {
    expect([1, 16, 31, 32, 64, 512].map((rows) => rowChunksOf({ ...causal, rows }).length)).toEqual([
      1, 1, 1, 2, 2, 2,
    ])
  })
})

/** One pass with chosen keys; with or without row chunks. */
async function run(model: AnyTiny, isPipelined: boolean, passes: [base: number, rows: Float64Array][]) {
  together.isOn = !isPipelined
  // The owner's own randomness too: shares are then the same, bit for bit.
  const random = vi.spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => {
    new Uint8Array((bytes as Uint8Array).buffer).fill(9)
    return bytes
  })
  const session = new WatchedSession(model, fixedKeys(3))
  random.mockRestore()
  const released: Float64Array[] = []
  for (const [base, rows] of passes) released.push(await session.owner.run(base, rows))
  await session.link.close()
  return { released, messages: capturedMessages(session), material: capturedMaterial(session) }
}

describe('a pass in row chunks', () => {
  const one = { layers: 1, dim: 16, heads: 2, kvHeads: 2, ff: 24 }
  const encoders = tinyEncoder({ ...tinyBert, ...one })
  const text = { ids: Array.from({ length: 37 }, (_, i) => (i * 5 + 1) % tinyBert.vocab) }
  const decoders = [tinyLlama, tinyGpt2].map((tiny) => tinyModel({ ...tiny, ...one, context: 80 }))
  const ids = Array.from({ length: 76 }, (_, i) => (i * 3 + 2) % tinyLlama.vocab)

  it.each([
    ['encoder', encoders, [[0, encoders.ends.input(text).rows]]],
    ...decoders.map((model) => [
      model.config.arch,
      model,
      [
        [0, model.ends.embed(ids.slice(0, 40), 0)],
        [40, model.ends.embed(ids.slice(40, 75), 40)],
        [75, model.ends.embed(ids.slice(75), 75)],
      ],
    ]),
  ] as [string, AnyTiny, [number, Float64Array][]][])(
    'is the same as in one: %s',
    async (_, model, passes) => {
      const whole = await run(model, false, passes)
      const pipelined = await run(model, true, passes)
      expect(pipelined.released).toEqual(whole.released)
      // Whatever crossed is what would have crossed, lane by lane.
      for (const kind of ['messages', 'material'] as const) {
        const lanes = (all: typeof whole) => {
          const by = new Map<string, bigint[]>()
          for (const { pass, step, who, slot, lanes } of all[kind].toSorted(
            (a, b) => a.rowChunk - b.rowChunk,
          )) {
            const key = `${pass} ${step.id} ${who} ${slot}`
            by.set(key, [...(by.get(key) ?? []), ...lanes])
          }
          return by
        }
        expect(lanes(pipelined)).toEqual(lanes(whole))
        expect(new Set(pipelined[kind].map((c) => c.rowChunk)).size).toBe(2)
      }
    },
  )
})
