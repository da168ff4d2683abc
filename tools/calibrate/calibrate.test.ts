import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import type { CalibrationError } from '../../src/protections/shared/profiles/errors.ts'
import { Block } from '../../src/protections/shared/profiles/fixed/block.ts'
import { calibrate } from '../../src/protections/shared/profiles/fixed/calibrate.ts'
import { check } from '../../src/protections/shared/profiles/fixed/check.ts'
import { modelOf } from '../../src/protections/shared/profiles/fixed/from-manifest.ts'
import { mergeRanges } from '../../src/protections/shared/profiles/fixed/merge.ts'
import type { LayerRanges, Ranges } from '../../src/protections/shared/profiles/fixed/ranges.ts'
import { attentionWidths } from '../../src/protections/shared/profiles/fixed/softmax.ts'
import { profileOf } from '../../src/protections/shared/profiles/lookup.ts'
import { byteLevelJson, smallConfigs, writeFolder } from '../../test/support/checkpoint-folder.ts'
import { importModel } from '../import/import-model.ts'
import { measure, measureBundle } from './calibrate.ts'
import { htmlReport, textReport } from './text-report.ts'
import { calibrationSequence, readCalibrationTexts } from './texts.ts'

/** What was measured, as the manifest has it. */
const rangesOf = (profile: Manifest['profile']): Ranges => (profile.fixed as { ranges: Ranges }).ranges

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
    const calibration = await measureBundle({ bundle, data: text })
    const { manifest, ranges: entries, heads, tokens } = calibration
    const ranges = rangesOf(calibration.profile)
    expect((await loadBundle(bundle)).manifest).toEqual(manifest)
    expect(manifest.profile).toEqual({ fixed: { ranges } })
    expect(tokens).toBeGreaterThan(20)
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
    expect(htmlReport(calibration)).toContain('<svg')
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
  const ranges = rangesOf((await measure(whole, [{ text: 'guests' }])).profile)
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
  const ranges = rangesOf((await measure(whole, readCalibrationTexts(text))).profile)
  const refuse = (change: Partial<LayerRanges>): void => {
    const layers = ranges.layers.map((r, i) => (i === 1 ? { ...r, ...change } : r))
    const wide = { ...ranges, layers }
    whole.manifest.profile = { fixed: { ranges: wide } }
    check(whole.manifest, whole.tensors)
  }
  expect(() => refuse({})).not.toThrow()
  expect(() => refuse({ score: [-900, 900] })).toThrow(/Layer 1: attention logits span 1800.*q_proj\.weight/)
  expect(() => refuse({ v: 1e9 })).toThrow(/ayer 1.*v_proj\.weight/)
  expect(() => refuse({ raw: 1e14 })).toThrow(/ayer 1.*mlp\.up_proj\.weight/)
  expect(() => refuse({ gate: Number.POSITIVE_INFINITY })).toThrow(/Layer 1: "gate"/)
  whole.tensors.get('model.layers.0.mlp.gate_proj.weight')!.data[0] = 3e38
  whole.manifest.profile = { fixed: { ranges } }
  expect(() => check(whole.manifest, whole.tensors)).toThrow(
    /Layer 0: weight '0.up' reaches.*gate_proj\.weight/,
  )
  expect(readFileSync(join(bundle, 'manifest.json'), 'utf8')).toBe(before)
})

test('a refusal carries layer and role, and is not told by its words', async () => {
  await imported('gpt2')
  const whole = await loadBundle(bundle)
  const ranges = rangesOf((await measure(whole, readCalibrationTexts(text))).profile)
  const refusal = (change: Partial<LayerRanges>): unknown => {
    const layers = ranges.layers.map((r, i) => (i === 1 ? { ...r, ...change } : r))
    try {
      check({ ...whole.manifest, profile: { fixed: { ranges: { ...ranges, layers } } } }, whole.tensors)
    } catch (error) {
      return error
    }
  }
  for (const [change, role, tensor] of [
    [{ score: [-900, 900] }, 'qkv', 'h.1.attn.c_attn.weight'],
    [{ meanSquare1: [1e-30, 1e30] }, 'qkv', 'h.1.ln_1.weight'],
    [{ meanSquare2: [1e-30, 1e30] }, 'up', 'h.1.ln_2.weight'],
    [{ raw: 1e14 }, 'up', 'h.1.mlp.c_fc.weight'],
  ] as const) {
    const error = refusal(change as Partial<LayerRanges>)
    expect(error).toMatchObject({ name: 'CalibrationError', layer: 1, cause: { layer: 1, role } })
    expect((error as CalibrationError).tensors).toContain(tensor)
    expect((error as CalibrationError).message.match(/layer 1/gi)).toHaveLength(1)
  }
})

test('a weight that a party could not load is refused when the model is checked', async () => {
  await imported('bert')
  const whole = await loadBundle(bundle)
  const { manifest, tensors } = whole
  const { profile } = await measure(whole, readCalibrationTexts(text))
  const calibrated = { ...manifest, profile }
  expect(() => check(calibrated, tensors)).not.toThrow()
  // 32 bits hold it at 13 fraction bits, and not at the 15 that an encoder's weights are loaded with.
  const name = 'bert.encoder.layer.1.output.dense.weight'
  tensors.get(name)!.data[0] = 1e5
  const load = () => [...profileOf(calibrated).model(calibrated).encode(tensors, ['private'])]
  expect(load).toThrow("weight '1.down'")
  expect(() => check(calibrated, tensors)).toThrow(
    /Layer 1: weight '1.down' reaches.*layer\.1\.output\.dense/,
  )
})

test('of an encoder the report says what its own rings hold', async () => {
  await imported('bert')
  const { manifest, ranges } = await measureBundle({ bundle, data: text })
  const { spec } = modelOf(manifest)
  const block = new Block(spec, Math.ceil(Math.log2(spec.config.context + 1)), {})
  const { range } = attentionWidths(block, spec.ranges.layers[0])
  const score = ranges.find(({ name, layer }) => name === 'score' && layer === 0)
  expect(score?.limit).toEqual(range.map((octaves) => octaves / Math.LOG2E))
})
