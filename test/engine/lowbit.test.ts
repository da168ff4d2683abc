/** Quantized models: private inference equals the integer oracle bit for bit, and the float model as few bits allow. */
import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { LocalParties, type PassTrace } from '../../src/protections/shared/local/local-parties.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import {
  type LowbitOptions,
  lowbitEncoderEnds,
  lowbitEnds,
  type TinyLowbit,
  tinyLowbit,
  tinyParallel,
  tinyRmsBert,
} from '../support/protocol/lowbit.ts'
import { mismatches } from '../support/protocol/mismatches.ts'

const wide = { dim: 64, ff: 96, heads: 4, kvHeads: 4, layers: 3 } as const

describe.each<[string, ModelConfig, LowbitOptions]>([
  ['a classifier', tinyRmsBert, {}],
  ['a classifier with private column scales', tinyRmsBert, { scales: 'private' }],
  ['an encoder without a head', { ...tinyRmsBert, head: undefined }, {}],
  ['a wider encoder', { ...tinyRmsBert, ...wide }, { scales: 'private' }],
  ['a classifier in pieces', tinyRmsBert, { isSplit: true }],
  ['an encoder in pieces', { ...tinyRmsBert, head: undefined }, { isSplit: true, scales: 'private' }],
])('%s', (_, config, o) => {
  it('equals the oracle at every step, padded and not', async () => {
    const tiny = tinyLowbit(config, o)
    const parties = new LocalParties(tiny.model, tiny.tensors, { keys: localKeys() })
    for (const n of [3, 20, 32]) {
      const ids = Array.from({ length: n }, (_, i) => (i === 0 ? 1 : (7 * i + n) % 48))
      const { rows, padding } = lowbitEncoderEnds(tiny).input({ ids })
      const trace = await parties.pass(0, rows, padding)
      expect(mismatches(parties, trace)).toEqual([])
    }
  })
})

describe.each<[string, ModelConfig, LowbitOptions]>([
  ['a decoder of parallel blocks', tinyParallel, {}],
  ['one with SiLU', { ...tinyParallel, activation: 'silu' }, { scales: 'private' }],
  ['one in pieces', tinyParallel, { isSplit: true }],
])('%s', (_, config, o) => {
  it('equals the oracle at every step, over a prompt and cached tokens', async () => {
    const tiny = tinyLowbit(config, o)
    const parties = new LocalParties(tiny.model, tiny.tensors, { keys: localKeys() })
    const trace = async (base: number, ids: number[]): Promise<PassTrace> =>
      parties.pass(base, lowbitEnds(tiny).embed(ids, base))
    for (const [base, ids] of [
      [0, [3, 1, 4, 1, 5]],
      [5, [9]],
      [6, [2]],
      [4, [6, 5]],
    ] as const)
      expect(mismatches(parties, await trace(base, [...ids]))).toEqual([])
  })
})

