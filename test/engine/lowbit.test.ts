/** Quantized models: private inference equals the integer oracle bit for bit, and the float model as few bits allow. */
import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { likeness } from '../support/likeness.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import {
  type LowbitOptions,
  lowbitDecoder,
  lowbitEncoder,
  tinyParallel,
  tinyRmsBert,
} from '../support/protocol/lowbit.ts'
import { mismatches } from '../support/protocol/mismatches.ts'
import { twinLogits } from '../twins/decoders.ts'
import { rmsBertTwin } from '../twins/rms-bert.ts'

const wide = { dim: 64, ff: 96, heads: 4, kvHeads: 4, layers: 3 } as const

describe.each<[string, ModelConfig, LowbitOptions]>([
  ['a classifier', tinyRmsBert, {}],
  ['a classifier with private column scales', tinyRmsBert, { scales: 'private' }],
  ['an encoder without a head', { ...tinyRmsBert, head: undefined }, {}],
  ['a wider encoder', { ...tinyRmsBert, ...wide, head: undefined }, { scales: 'private' }],
  ['a classifier by tables of four bits alone', tinyRmsBert, { variant: 'tables' }],
  [
    'an encoder by tables, in pieces',
    { ...tinyRmsBert, head: undefined },
    { variant: 'tables', isSplit: true },
  ],
  ['a classifier in pieces', tinyRmsBert, { isSplit: true }],
  ['an encoder in pieces', { ...tinyRmsBert, head: undefined }, { isSplit: true, scales: 'private' }],
])('%s', (_, config, o) => {
  it('equals the oracle at every step, padded and not, and is like the float model', async () => {
    const { model, tensors, ends } = lowbitEncoder(config, o)
    const parties = new LocalParties(model, tensors, { keys: localKeys() })
    for (const n of [3, 20, 32]) {
      const ids = Array.from({ length: n }, (_, i) => (i === 0 ? 1 : (7 * i + n) % 48))
      const { rows, padding } = ends.input({ ids })
      const trace = await parties.pass(0, rows, padding)
      expect(mismatches(parties, trace)).toEqual([])
      const { hidden, logits } = rmsBertTwin(config, tensors, { ids })
      const got = logits ? trace.released : ends.tokens(trace.released, n)
      expect(likeness(got, (logits ?? hidden).flat())).toBeGreaterThan(o.variant ? 0.7 : 0.9)
    }
  })
})

describe.each<[string, ModelConfig, LowbitOptions]>([
  ['a decoder of parallel blocks', tinyParallel, {}],
  ['one with SiLU', { ...tinyParallel, activation: 'silu' }, { scales: 'private' }],
  ['one in pieces', tinyParallel, { isSplit: true }],
])('%s', (_, config, o) => {
  it('equals the oracle at every step, over a prompt and cached tokens, and is like the float model', async () => {
    const { model, tensors, ends } = lowbitDecoder(config, o)
    const parties = new LocalParties(model, tensors, { keys: localKeys() })
    let seen: number[] = []
    for (const [base, ids] of [
      [0, [3, 1, 4, 1, 5]],
      [5, [9]],
      [6, [2]],
      [4, [6, 5]],
    ] as [number, number[]][]) {
      const trace = await parties.pass(base, ends.embed(ids, base))
      expect(mismatches(parties, trace)).toEqual([])
      seen = [...seen.slice(0, base), ...ids]
      const want = twinLogits(config, tensors, seen).slice(-config.vocab)
      expect(likeness(ends.logits(trace.released), want)).toBeGreaterThan(0.9)
    }
  })
})
