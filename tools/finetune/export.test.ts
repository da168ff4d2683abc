import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { randomModel } from '../../src/model/random.ts'
import { smallConfig } from '../../test/support/classify-corpus.ts'
import { bertSpecials, wordPieceJson } from '../train/wordpiece.ts'
import { type Method, prepare } from './base.ts'
import { exportFineTuned } from './export.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-export-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const tokenizer = wordPieceJson([...bertSpecials, ...'abcdefghijklmnopqrstuvwxyz'])
const about = { name: 'small', description: 'A test.', license: 'none', source: 'random' }
const layer = 'bert.encoder.layer.0.output.dense'

async function exported(method: Method) {
  const base = { config: smallConfig, tensors: randomModel(smallConfig, 3), tokenizer }
  const prepared = prepare(base, { labels: ['0', '1'] }, { method, rank: 2, alpha: 4, seed: 1 })
  const values = new Map([['classifier.weight', new Float32Array(2 * smallConfig.dim).fill(0.25)]])
  const out = join(dir, method)
  await exportFineTuned(out, { ...prepared, values, tokenizer, method, about, texts: [{ text: 'a b c' }] })
  return { out, bundle: await loadBundle(out), base, trained: prepared.trained }
}

describe('a fine-tuned bundle', () => {
  it('of FFA-LoRA keeps private what was learned, and nothing else', async () => {
    const { out, bundle, trained } = await exported('ffa-lora')
    expect(bundle.privateNames).toEqual(trained)
    expect(trained).toContain(`${layer}.lora_B.weight`)
    expect(trained).toContain('bert.pooler.dense.weight')
    expect(bundle.privateNames).not.toContain(`${layer}.lora_A.weight`)
    // The base's weights under private adapters are no use to data owners.
    const published = readFileSync(join(out, 'public.safetensors'), 'latin1')
    expect(published).toContain('word_embeddings')
    expect(published).not.toContain(`${layer}.weight`)
  })

  it('of ordinary LoRA keeps both halves of the adapters private', async () => {
    const { bundle, trained } = await exported('lora')
    expect(bundle.privateNames).toEqual(trained)
    expect(trained).toContain(`${layer}.lora_A.weight`)
  })

  it('of whole weights keeps the layers and the head private, and publishes the tables', async () => {
    const { bundle } = await exported('full')
    expect(bundle.privateNames).toContain(`${layer}.weight`)
    expect(bundle.privateNames).toContain('classifier.weight')
    expect(bundle.privateNames).not.toContain('bert.embeddings.word_embeddings.weight')
  })

  it('holds the trained values, is calibrated and runs', async () => {
    const { bundle, base } = await exported('ffa-lora')
    expect(new Set(bundle.tensors.get('classifier.weight')!.data)).toEqual(new Set([0.25]))
    expect(bundle.tensors.get(`${layer}.weight`)!.data[0]).toBeCloseTo(
      base.tensors.get(`${layer}.weight`)!.data[0],
      3,
    )
    expect(bundle.manifest.profile.fixed).toHaveProperty('ranges')
    const { logits } = encoderModel(bundle.manifest.config, bundle.tensors).forward({ ids: [2, 7, 8, 3] })
    expect(logits).toHaveLength(2)
  })
})

describe('a base made ready', () => {
  const base = { config: smallConfig, tensors: randomModel(smallConfig, 3), tokenizer }
  const method = { method: 'ffa-lora', rank: 4, alpha: 8, seed: 1 } as const

  it('computes at first what the base computes: B and the classifier are zero', () => {
    const { config, tensors } = prepare(base, { labels: ['0', '1'] }, method)
    const input = { ids: [2, 9, 8, 3] }
    const before = encoderModel(base.config, base.tensors).forward(input).hidden
    encoderModel(config, tensors)
      .forward(input)
      .hidden.forEach((value, i) => {
        expect(value).toBeCloseTo(before[i], 6)
      })
    expect([...encoderModel(config, tensors).forward(input).logits!]).toEqual([0, 0])
  })

  it('draws A uniformly within one over the root of its width, the same for the same seed', () => {
    const name = `${layer}.lora_A.weight`
    const draw = (seed: number) =>
      prepare(base, { labels: ['0', '1'] }, { ...method, seed }).tensors.get(name)!
    const a = draw(1)
    expect(a.shape).toEqual([4, smallConfig.ff])
    const bound = 1 / Math.sqrt(smallConfig.ff)
    expect(Math.max(...a.data.map(Math.abs))).toBeLessThanOrEqual(bound)
    expect(Math.max(...a.data)).toBeGreaterThan(0.8 * bound)
    expect(draw(1)).toEqual(a)
    expect(draw(2)).not.toEqual(a)
  })

  it('that has adapters already is refused', () => {
    const { config, tensors } = prepare(base, { labels: ['0', '1'] }, method)
    expect(() => prepare({ config, tensors, tokenizer }, { labels: ['0', '1'] }, method)).toThrow(
      'adapters already',
    )
  })
})
