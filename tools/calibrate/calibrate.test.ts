import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { calibrate } from '../../src/protections/shared/profiles/fixed/calibrate.ts'
import type { LayerRanges } from '../../src/protections/shared/profiles/fixed/ranges.ts'
import { byteLevelJson, smallConfigs, writeFolder } from '../../test/support/checkpoint-folder.ts'
import { importModel } from '../import/import-model.ts'
import { measure, measureBundle } from './calibrate.ts'
import { checkFits } from './fits.ts'
import { mergeRanges } from './merge.ts'
import { rangeReport } from './report.ts'
import { htmlReport, textReport } from './text-report.ts'
import { calibrationSequence, readCalibrationTexts } from './texts.ts'

let root: string
let bundle: string
let text: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sotto-calibrate-'))
  bundle = join(root, 'bundle')
  text = join(root, 'text.txt')
  writeFileSync(text, 'The guests paid, and went.\nNobody knew why.\n'.repeat(20))
})
afterEach(() => rmSync(root, { recursive: true }))

async function imported(form: keyof typeof smallConfigs = 'llama', tokenizer: object = byteLevelJson()) {
  writeFolder(join(root, 'model'), { config: smallConfigs[form], files: { 'tokenizer.json': tokenizer } })
  await importModel({ from: join(root, 'model'), out: bundle })
}

test('texts, pairs, dialogues and plain text are read, gzipped as well', () => {
  const lines = [
    { text: 'one' },
    { text: 'one', pair: 'two' },
    { id: '1', turns: [{ role: 'user', text: 'hi' }] },
  ]
  const path = join(root, 'x.jsonl.gz')
  writeFileSync(path, gzipSync(lines.map((line) => JSON.stringify(line)).join('\n\n')))
  expect(readCalibrationTexts(path)).toEqual([
    { text: 'one' },
    { text: 'one', pair: 'two' },
    { messages: [{ role: 'user', content: 'hi' }] },
  ])
  const plain = readCalibrationTexts(text)
  expect(plain.map((t) => ('text' in t ? t.text : '')).join('')).toBe(readFileSync(text, 'utf8'))
  const wrong = join(root, 'y.jsonl')
  writeFileSync(wrong, '{"text":"a"}\n{"turns":[{"role":"system","text":"b"}]}')
  expect(() => readCalibrationTexts(wrong)).toThrow('line 2')
})

test('an encoder sees its marks and the types of a pair', async () => {
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'one', 'two']
  writeFolder(join(root, 'model'), {
    config: smallConfigs.bert,
    files: { 'tokenizer.json': null, 'vocab.txt': words.join('\n') },
  })
  await importModel({ from: join(root, 'model'), out: bundle })
  const { manifest, tokenizer } = await loadBundle(bundle)
  expect(calibrationSequence(new Tokenizer(tokenizer, {}), manifest, { text: 'one', pair: 'two' })).toEqual({
    ids: [2, 5, 3, 6, 3],
    types: [0, 0, 0, 1, 1],
  })
})

test.each(['llama', 'gpt2', 'bert', 'roberta'] as const)(
  '%s: calibrated, and every range fits with room',
  async (form) => {
    await imported(form)
    const { manifest, ranges, heads, tokens } = await measureBundle({ bundle, data: text })
    expect((await loadBundle(bundle)).manifest.profile).toEqual({ fixed: { ranges } })
    expect(tokens).toBeGreaterThan(20)
    const entries = rangeReport(manifest.config, ranges)
    for (const { bits, about, layer } of entries)
      expect([about, layer, bits > 0.1]).toEqual([about, layer, true])
    expect(heads.map((layer) => layer.length)).toEqual([4, 4])
    // The spans of the heads together are the layer's.
    heads.forEach((layer, i) => {
      const low = Math.min(...layer.map(({ range }) => range[0]), 0)
      const high = Math.max(...layer.map(({ range }) => range[1]), 0)
      expect(ranges.layers[i].score[0]).toBeCloseTo(low * Math.LOG2E, 9)
      expect(ranges.layers[i].score[1]).toBeCloseTo(high * Math.LOG2E, 9)
    })
    expect(textReport(entries).split('\n').length).toBe(entries.length + 1)
    expect(htmlReport({ manifest, ranges, heads, tokens }, entries)).toContain('<svg')
  },
)

test('slices of time measure what one run does', async () => {
  await imported('gpt2')
  const whole = await loadBundle(bundle)
  const { config } = whole.manifest
  const sequences = [
    [1, 2, 3],
    [9, 8, 7, 6],
    [200, 4],
  ]
  const parts = sequences.map((ids) => calibrate(config, whole.tensors, [ids]))
  expect(parts.reduce(mergeRanges)).toEqual(calibrate(config, whole.tensors, sequences))
})

test('what is measured is what the float model computes', async () => {
  await imported()
  const whole = await loadBundle(bundle)
  const { ranges } = await measure(whole, [{ text: 'guests' }])
  const ids = calibrationSequence(new Tokenizer(whole.tokenizer, {}), whole.manifest, {
    text: 'guests',
  }) as number[]
  let v = 0
  const model = floatModel(whole.manifest.config, whole.tensors, (name, layer, values) => {
    if (name === 'value' && layer === 1) v = Math.max(...values.map(Math.abs))
  })
  const logits = model.forward(ids, 'all')
  expect(ranges.layers[1].v).toBe(v)
  expect(ranges.final.logits).toBe(Math.max(...logits.map(Math.abs)))
})

test('what does not fit is refused by layer and tensor, and the bundle stays as it was', async () => {
  await imported()
  const whole = await loadBundle(bundle)
  const before = readFileSync(join(bundle, 'manifest.json'), 'utf8')
  const { ranges } = await measure(whole, readCalibrationTexts(text))
  const refuse = (change: Partial<LayerRanges>): void => {
    const layers = ranges.layers.map((r, i) => (i === 1 ? { ...r, ...change } : r))
    const wide = { ...ranges, layers }
    whole.manifest.profile = { fixed: { ranges: wide } }
    checkFits(whole, wide)
  }
  expect(() => refuse({})).not.toThrow()
  expect(() => refuse({ score: [-900, 900] })).toThrow(/Layer 1: attention logits span 1800.*q_proj\.weight/)
  expect(() => refuse({ v: 1e9 })).toThrow(/ayer 1.*v_proj\.weight/)
  expect(() => refuse({ raw: 1e14 })).toThrow(/ayer 1.*mlp\.up_proj\.weight/)
  expect(() => refuse({ gate: Number.POSITIVE_INFINITY })).toThrow(/Layer 1: "gate"/)
  whole.tensors.get('model.layers.0.mlp.gate_proj.weight')!.data[0] = 3e38
  whole.manifest.profile = { fixed: { ranges } }
  expect(() => checkFits(whole, ranges)).toThrow(/Layer 0: weight '0.up' reaches.*gate_proj\.weight/)
  expect(readFileSync(join(bundle, 'manifest.json'), 'utf8')).toBe(before)
})
