/**
 * Whatever the input, everything that the parties tell each other, and everything that becomes public between them, is
 * uniform: words captured from the wires of real sessions under fixed keys, so the outcome never varies.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { widened } from '../../src/kernels/lanes.ts'
import { isNoise } from '../../src/protections/protection.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { add, type Lanes, sub } from '../../src/protections/shared/ring.ts'
import { capturedMaterial, capturedMessages } from '../support/protocol/capture.ts'
import { Kinds, nameOf } from '../support/protocol/kinds.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { lowbitDecoder, tinyParallel } from '../support/protocol/lowbit.ts'
import { type TinyDecoder, tinyGpt2, tinyLlama, tinyModel } from '../support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../support/protocol/session.ts'
import { upperTail } from '../support/protocol/statistics.ts'

/** How unlikely a truly uniform family of values has to be, all its tests together, before it fails. */
const FAMILY = 1e-4
const PASSES = [[5, 9, 5], [5]]

beforeEach(() => {
  // The owner's own randomness comes from the platform; here it is as fixed as the keys.
  let state = 1n
  vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation((array) => {
    const bytes = array as unknown as Uint8Array
    for (let i = 0; i < bytes.length; i++) {
      state = (state * 6364136223846793005n + 1442695040888963407n) & (2n ** 64n - 1n)
      bytes[i] = Number(state >> 56n)
    }
    return array
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const [llama, gpt2, parallel] = [tinyLlama, tinyGpt2, tinyParallel].map((c) => ({ ...c, layers: 1 }))
/** Which way values go to the products of a model. */
type Products = keyof typeof toProducts
const cases: [string, TinyDecoder, Products, scale: number][] = [
  ['an ordinary input', tinyModel(llama), 'private', 1],
  ['zeros', tinyModel(llama), 'private', 0],
  ['the largest input within the head room', tinyModel(llama), 'private', 1.45],
  ['an input far out of range', tinyModel(llama), 'private', 3000],
  ['an ordinary input with biases', tinyModel(gpt2), 'private', 1],
  ['an ordinary input to a public model', tinyModel(llama, 'public'), 'public', 1],
  ['an ordinary input to a split model', tinyModel(llama, 'split'), 'split', 1],
  ['an input far out of range to a split model with biases', tinyModel(gpt2, 'split'), 'split', 3000],
  ['an ordinary input to a quantized model', lowbitDecoder(tinyParallel), 'quantized', 1],
  ['zeros to a quantized model', lowbitDecoder(parallel), 'quantized', 0],
  ['an extreme input to a quantized model', lowbitDecoder(tinyParallel), 'quantized', 3000],
  [
    'an ordinary input to a quantized model with SiLU',
    lowbitDecoder({ ...parallel, activation: 'silu' }, { scales: 'private' }),
    'quantized',
    1,
  ],
  ['zeros to a split quantized model', lowbitDecoder(parallel, { isSplit: true }), 'opened', 0],
]

/** The lanes of every row but the first, less those of the first: were a mask shared by rows, a difference of values. */
function betweenRows(lanes: Lanes, rows: number, bits: number): Lanes {
  const width = lanes.length / rows
  return lanes.subarray(width).map((lane, i) => BigInt.asUintN(bits, lane - lanes[i % width]))
}

/**
 * What goes to the product with a weight, step and sender, and how the input comes to the server where it does first; and by
 * what the owner learns whether values are in range.
 */
const toProducts = {
  private: ['input owner', 'openLiftedToServer owner', 'openToServer owner', 'openPrint owner'],
  split: [
    'input owner',
    'widenOpening owner',
    'widenOpening server',
    'widenOpening public',
    'openPrint owner',
  ],
  public: ['input owner'],
  quantized: ['openToServer owner'],
  opened: [],
}

describe.each(cases)('%s', (_, model, products, scale) => {
  it('leaves nothing but uniform words on all wires', async () => {
    const kinds = new Kinds()
    const dealt = new Kinds()
    const repeats = new Kinds()
    const rows = new Kinds()
    for (let n = 0; n < 40; n++) {
      const session = new WatchedSession(model, fixedKeys(100 + n))
      let base = 0
      for (const ids of PASSES) {
        const input = model.ends.embed(ids, base).map((v) => v * scale)
        await session.owner.run(base, input).catch((error) => {
          // That an input is out of range the owner is told at the end of a whole pass.
          if (!isNoise(error)) throw error
        })
        base += ids.length
      }
      const captured = capturedMessages(session)
      for (const c of captured) kinds.add(nameOf(c), c.bits, c.lanes)
      for (const c of captured)
        if (c.step.wire?.layout === 'row')
          rows.add(nameOf(c), c.bits, betweenRows(c.lanes, PASSES[c.pass - 1].length, c.bits))
      // Were a mask used again, the difference of two openings of equal inputs would be near zero.
      for (const c of captured.filter((x) => x.pass === 2)) {
        const before = captured.find((x) => x.pass === 1 && x.step.id === c.step.id && x.who === c.who)
        if (!before || before.bits !== c.bits || before.lanes.length < c.lanes.length) continue
        repeats.add(nameOf(c), c.bits, sub(c.lanes, before.lanes, c.bits))
      }
      if (n < 4) for (const c of capturedMaterial(session)) dealt.add(nameOf(c), c.bits, c.lanes)
      await session.link.close()
    }
    for (const family of [kinds, repeats, rows, dealt]) {
      const { tested, uneven } = family.suspects(FAMILY)
      expect(tested).toBeGreaterThan(20)
      expect(uneven).toEqual([])
    }
    // Every step that is ever on a wire was tested from both its senders and in public.
    const ops = [...kinds.histograms.keys()].map((k) => `${k.split(' ')[0]} ${k.split(' ').at(-2)}`)
    expect(new Set(ops)).toEqual(
      new Set(['open owner', 'open server', 'open public', 'release server', ...toProducts[products]]),
    )
  })
})

/** What one side makes of an opening with its own part of the mask: the value under the other side's part alone. */
it.each(cases)(
  '%s stays hidden from a party that takes its own masks off',
  async (_, model, _products, scale) => {
    const kinds = new Kinds()
    const rows = new Kinds()
    for (let seed = 0; seed < 24; seed++) {
      const parties = new LocalParties(model.model, model.tensors, { keys: localKeys(seed) })
      let base = 0
      for (const ids of PASSES) {
        const trace = await parties.pass(
          base,
          model.ends.embed(ids, base).map((v) => v * scale),
        )
        base += ids.length
        for (const { id, op, out } of trace.plan.steps)
          if (out.kind === 'opened')
            for (const party of [trace.owner, trace.server]) {
              const seen = add(widened(party.get(out)), party.mask(out), out.ring)
              const name = `${op} ${id} ${party.role}`
              kinds.add(name, out.ring, seen)
              if (out.layout === 'row') rows.add(name, out.ring, betweenRows(seen, ids.length, out.ring))
            }
          else if (out.kind === 'masked')
            kinds.add(`${op} ${id} server`, out.ring, widened(trace.server.get(out)))
      }
    }
    for (const family of [kinds, rows]) {
      const { tested, uneven } = family.suspects(FAMILY)
      expect(tested).toBeGreaterThan(20)
      expect(uneven).toEqual([])
    }
  },
)

describe('the test itself', () => {
  it('knows the chi-square distribution', () => {
    for (const [x, k, p] of [
      [3.841458820694124, 1, 0.05],
      [14.067140449340169, 7, 0.05],
      [24.32188634785685, 7, 0.001],
      [310.457388, 255, 0.01],
    ])
      expect(upperTail(x, k)).toBeCloseTo(p, 6)
    expect([0, 100, 1e6].map((x) => upperTail(x, 4095))).toEqual([1, 1, 0])
  })

  it('finds a bias that a small leak would leave', () => {
    const kinds = new Kinds()
    const count = (kind: string, bits: number, value: bigint) =>
      kinds.add(kind, bits, BigUint64Array.of(value))
    let state = 7
    for (let i = 0; i < 4000; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      const uniform = BigInt(state >>> 12) & 0xffffn
      count('fair', 16, uniform)
      count('masked in too small a ring', 16, (uniform & 0x7fffn) + 0x1000n)
      count('one in eight unmasked', 16, i % 8 === 0 ? 100n : uniform)
      // Each bit of it is as often set as not, and three at either end take all values alike.
      const others = uniform & 0xf7n
      const ones = others.toString(2).replaceAll('0', '').length
      count('of even parity', 8, others | BigInt((ones % 2) << 3))
    }
    const { uneven } = kinds.suspects(FAMILY)
    expect(uneven.some((k) => k.startsWith('fair'))).toBe(false)
    expect(uneven.some((k) => k.startsWith('masked'))).toBe(true)
    expect(uneven.some((k) => k.startsWith('one in eight'))).toBe(true)
    expect(uneven.flatMap((k) => (k.startsWith('of even') ? k.split(':')[0] : []))).toEqual([
      'of even parity whole',
    ])
  })
})
