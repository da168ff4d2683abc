import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { toHfConfig } from '../../src/model/architectures/hf-config.ts'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { randomModel } from '../../src/model/random.ts'
import {
  byteLevelJson,
  type FolderOptions,
  newFolder,
  smallConfigs,
  writeFolder,
} from '../../test/support/checkpoint-folder.ts'
import { importModel } from './import-model.ts'
import { inspectModel } from './inspect.ts'

let root: string
let dir: string
let out: string
beforeEach(() => {
  root = newFolder()
  dir = join(root, 'model')
  out = join(root, 'bundle')
})
afterEach(() => rmSync(root, { recursive: true }))

const folder = (o: FolderOptions) => writeFolder(dir, o)
const ids = [5, 9, 250, 33, 1, 1, 77]

function results(config: ModelConfig, tensors: Tensors): Float64Array {
  if (continuesText(config)) return floatModel(config, tensors).forward(ids, 'all')
  const { logits, hidden } = encoderModel(config, tensors).forward({ ids })
  return logits ?? hidden
}

const largestDifference = (a: Float64Array, b: Float64Array): number =>
  Math.max(...a.map((v, i) => Math.abs(v - b[i])))

/** Nothing is left beside the model. */
const expectNothing = () => expect(readdirSync(root)).toEqual(['model'])

describe.each(Object.entries(smallConfigs))('%s', (_, config) => {
  test.each([
    ['F32', 1],
    ['F16', 3],
    ['BF16', 2],
  ] as const)('from %s in %i files computes the same', async (dtype, shards) => {
    const tensors = folder({ config, dtype, shards })
    const report = await importModel({ from: dir, out, dtype: 'F32' })
    expect(report).toMatchObject({ config, calibrated: false, dtype: 'F32' })
    const bundle = await loadBundle(out)
    const error = largestDifference(results(config, tensors), results(config, bundle.tensors))
    expect(error).toBeLessThan({ F32: 1e-6, F16: 0.03, BF16: 0.3 }[dtype])
    expect(readdirSync(root).sort()).toEqual(['bundle', 'model'])
  })
})

test.each<[string, ModelConfig, (name: string) => string]>([
  ['GPT-2 under "transformer."', smallConfigs.gpt2, (name) => `transformer.${name}`],
  ['LLaMA without "model."', smallConfigs.llama, (name) => name.replace(/^model\./, '')],
  [
    "BERT's TensorFlow names",
    smallConfigs.bert,
    (name) => name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
  ],
  [
    'BERT without its prefix',
    { ...smallConfigs.bert, head: undefined } as unknown as ModelConfig,
    (name) => name.replace(/^bert\./, ''),
  ],
  [
    "RoBERTa's bias of the decoder",
    smallConfigs.roberta,
    (name) => name.replace(/^lm_head.bias$/, 'lm_head.decoder.bias'),
  ],
])('%s', async (_, config, rename) => {
  const clean = JSON.parse(JSON.stringify(config)) as ModelConfig
  const tensors = folder({ config: clean, rename })
  await importModel({ from: dir, out, dtype: 'F32', balance: false })
  const bundle = await loadBundle(out)
  expect([...results(clean, bundle.tensors)]).toEqual([...results(clean, tensors)])
})

test('buffers and heads that are not used are left out, and said so', async () => {
  const config = smallConfigs.gpt2
  const tensors = randomModel(config, 3)
  tensors.set('h.0.attn.bias', { shape: [1, 1, 2, 2], data: new Float32Array(4) })
  tensors.set('score.weight', { shape: [2, 16], data: new Float32Array(32) })
  folder({ config, tensors })
  const { notes } = await importModel({ from: dir, out })
  expect(notes.join()).toContain('score.weight')
  expect(notes.join()).not.toContain('attn.bias')
})

test('a head that is the embedding once more, or not stored at all, is tied', async () => {
  const config: ModelConfig = { ...smallConfigs.llama, tied: false }
  const tensors = randomModel(config, 3)
  tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!)
  folder({ config, tensors })
  expect((await importModel({ from: dir, out })).config.tied).toBe(true)
  rmSync(out, { recursive: true })
  tensors.delete('lm_head.weight')
  folder({ config, tensors })
  expect((await importModel({ from: dir, out })).config.tied).toBe(true)
  rmSync(out, { recursive: true })
  folder({ config, tensors: randomModel(config, 3) })
  expect((await importModel({ from: dir, out })).config.tied).toBe(false)
})

test('a shorter context cuts learned positions', async () => {
  const tensors = folder({ config: smallConfigs.gpt2 })
  const { config } = await importModel({ from: dir, out, context: 32, dtype: 'F32', balance: false })
  expect(config.context).toBe(32)
  const bundle = await loadBundle(out)
  expect(bundle.tensors.get('wpe.weight')!.shape).toEqual([32, 16])
  expect([...results(config, bundle.tensors)]).toEqual([...results(smallConfigs.gpt2, tensors)])
})

test('positions beyond those of any bundle are cut, and said so', async () => {
  const config = smallConfigs.llama
  const json = { ...toHfConfig(config), max_position_embeddings: 262144 }
  folder({ config, files: { 'config.json': json } })
  const report = await importModel({ from: dir, out, balance: false })
  expect(report.config.context).toBe(131072)
  expect(report.notes).toContainEqual(expect.stringMatching(/reaches 262144 positions.*131072/))
})

test.each([
  ['context', {}, 200_000],
  ['ff', { intermediate_size: 1 << 19 }, undefined],
  ['dim', { hidden_size: 1 << 17 }, undefined],
  ['heads', { num_attention_heads: 2048, head_dim: 8 }, undefined],
])('a %s that no bundle has is refused before a weight is read', async (field, change, context) => {
  const config = smallConfigs.llama
  const json = { ...toHfConfig(config), max_position_embeddings: 262144, ...change }
  folder({ config, files: { 'config.json': json } })
  rmSync(join(dir, 'model.safetensors'))
  await expect(importModel({ from: dir, out, context })).rejects.toMatchObject({
    fault: 'unsupported',
    message: expect.stringContaining(`config.json: A bundle can't hold such a model: ${field}: `),
  })
})

describe('what is private', () => {
  const publicNames = async (words: string, config: ModelConfig = smallConfigs.llama) => {
    folder({ config })
    await importModel({ from: dir, out, private: words })
    const { privateNames, tensors } = await loadBundle(out)
    return [...tensors.keys()].filter((name) => !privateNames.has(name))
  }
  const ends = ['model.embed_tokens.weight', 'model.norm.weight']

  test('blocks', async () => expect((await publicNames('blocks')).sort()).toEqual(ends))
  test('all', async () => expect(await publicNames('all')).toEqual([]))
  test('none', async () => expect((await publicNames('none')).length).toBe(20))
  test('head, with the embedding that it shares', async () => {
    expect((await publicNames('head')).filter((name) => ends.includes(name))).toEqual([])
  })
  test("a classifier's head", async () => {
    const names = await publicNames('head', smallConfigs.bert)
    expect(names.filter((name) => /pooler|classifier/.test(name))).toEqual([])
    expect(names).toContain('bert.embeddings.word_embeddings.weight')
  })
  test('patterns', async () => {
    const names = await publicNames('*.mlp.*, model.norm.weight')
    expect(names.filter((name) => name.includes('mlp') || name === 'model.norm.weight')).toEqual([])
    expect(names.length).toBe(20 - 7)
  })
  test('a pattern that meets nothing is refused', async () => {
    await expect(publicNames('*.moe.*')).rejects.toThrow('no tensor has such a name')
    expectNothing()
  })
})

describe('refused, with nothing left behind', () => {
  const config = smallConfigs.llama
  const name = 'model.layers.1.self_attn.k_proj.weight'

  test.each<[string, () => void, object]>([
    [
      'a missing tensor',
      () => {
        const tensors = randomModel(config, 3)
        tensors.delete(name)
        folder({ config, tensors })
      },
      { fault: 'missing-tensor', tensor: name, message: expect.stringContaining('[8,16]') },
    ],
    [
      'another shape',
      () => {
        const tensors = randomModel(config, 3)
        tensors.set(name, { shape: [16, 16], data: new Float32Array(256) })
        folder({ config, tensors })
      },
      {
        fault: 'wrong-shape',
        message: expect.stringMatching(/model\.safetensors: "model\.layers\.1.*\[16,16\].*\[8,16\]/),
      },
    ],
    [
      'biases of a LLaMA',
      () => {
        const tensors = randomModel(config, 3)
        tensors.set('model.layers.0.self_attn.q_proj.bias', { shape: [16], data: new Float32Array(16) })
        folder({ config, tensors })
      },
      { fault: 'unsupported', tensor: 'model.layers.0.self_attn.q_proj.bias' },
    ],
    [
      'values beyond F16',
      () => {
        const tensors = randomModel(config, 3)
        tensors.get('model.embed_tokens.weight')!.data[3] = 70_000
        folder({ config, tensors })
      },
      { fault: 'bad-values', message: expect.stringMatching(/reaches 70000, beyond F16.*BF16/) },
    ],
    [
      'not a number',
      () => {
        const tensors = randomModel(config, 3)
        tensors.get(name)!.data[3] = Number.NaN
        folder({ config, tensors })
      },
      { fault: 'bad-values', message: expect.stringContaining('NaN') },
    ],
    [
      'weights cut short',
      () => {
        folder({ config })
        const path = join(dir, 'model.safetensors')
        writeFileSync(path, readFileSync(path).subarray(0, -9))
      },
      { fault: 'bad-file', file: expect.stringContaining('model.safetensors') },
    ],
    [
      'a shard that is missing',
      () => {
        folder({ config, shards: 2 })
        rmSync(join(dir, 'model-00002-of-00002.safetensors'))
      },
      { fault: 'not-found', message: expect.stringContaining('model-00002-of-00002.safetensors') },
    ],
    [
      'an index that leads out of the folder',
      () => {
        folder({ config, files: { 'model.safetensors.index.json': { weight_map: { a: '../secret' } } } })
      },
      { fault: 'bad-file' },
    ],
    [
      'pickled weights',
      () => {
        folder({ config, files: { 'pytorch_model.bin': 'x' } })
        rmSync(join(dir, 'model.safetensors'))
      },
      { fault: 'not-found', message: expect.stringContaining("python3 -c 'from transformers import") },
    ],
    [
      'a form that is not supported',
      () => folder({ config, files: { 'config.json': { model_type: 't5' } } }),
      { fault: 'unsupported' },
    ],
    [
      'a tokenizer of another model',
      () =>
        folder({
          config,
          files: { 'config.json': toHfConfig({ ...config, vocab: 100 }) },
          tensors: randomModel({ ...config, vocab: 100 }, 3),
        }),
      { fault: 'wrong-shape', message: expect.stringContaining('100 rows') },
    ],
    ['no tokenizer', () => folder({ config, files: { 'tokenizer.json': null } }), { fault: 'not-found' }],
    [
      'a tokenizer of an unknown kind',
      () =>
        folder({
          config,
          files: { 'tokenizer.json': { ...byteLevelJson(), model: { type: 'CharBPE', vocab: {} } } },
        }),
      { fault: 'unsupported', message: expect.stringContaining('"CharBPE"') },
    ],
  ])('%s', async (_, make, error) => {
    make()
    await expect(importModel({ from: dir, out })).rejects.toMatchObject({
      name: 'ImportError',
      ...error,
    })
    expectNothing()
  })

  test('an index may list a tensor that is stored once under another name', async () => {
    folder({
      config: { ...config, tied: false },
      tensors: randomModel({ ...config, tied: true }, 3),
      shards: 2,
    })
    const file = join(dir, 'model.safetensors.index.json')
    const index = JSON.parse(readFileSync(file, 'utf8')) as { weight_map: Record<string, string> }
    index.weight_map['lm_head.weight'] = Object.values(index.weight_map)[0]
    writeFileSync(file, JSON.stringify(index))
    const { notes, config: found } = await importModel({ from: dir, out })
    expect(found.tied).toBe(true)
    expect(notes).toContainEqual(expect.stringContaining('it is the embedding'))
  })

  test('a classifier may be said to read two texts', async () => {
    folder({ config: { ...smallConfigs.bert, head: { kind: 'classify', labels: ['a', 'b'] } } })
    const { config: found } = await importModel({ from: dir, out, pairs: true })
    expect(found.head).toEqual({ kind: 'classify', labels: ['a', 'b'], pairs: true })
    folder({ config })
    const refused = importModel({ from: dir, out: join(root, 'chat'), pairs: true })
    await expect(refused).rejects.toMatchObject({
      fault: 'unsupported',
      message: expect.stringContaining('--pairs'),
    })
  })

  test('an existing bundle is not touched', async () => {
    folder({ config })
    await importModel({ from: dir, out })
    const before = readFileSync(join(out, 'manifest.json'), 'utf8')
    await expect(importModel({ from: dir, out })).rejects.toMatchObject({ fault: 'exists' })
    expect(readFileSync(join(out, 'manifest.json'), 'utf8')).toBe(before)
  })

  test('larger types hold what F16 does not', async () => {
    const tensors = randomModel(config, 3)
    tensors.get('model.norm.weight')!.data[3] = 70_000
    folder({ config, tensors })
    await importModel({ from: dir, out, dtype: 'BF16' })
    expect((await loadBundle(out)).tensors.get('model.norm.weight')!.data[3]).toBe(70144)
  })

  test('a bundle', async () => {
    folder({ config })
    await importModel({ from: dir, out })
    await expect(importModel({ from: out, out: join(root, 'again') })).rejects.toThrow('is a bundle already')
  })

  test('text that nothing was measured on', async () => {
    folder({ config })
    const calibrate = join(root, 'model', 'empty.txt')
    writeFileSync(calibrate, '')
    await expect(importModel({ from: dir, out, calibrate })).rejects.toThrow('no text')
    expectNothing()
  })
})

test('inspection tells a folder, a bundle and a calibrated bundle apart', async () => {
  const config = smallConfigs.gpt2
  folder({ config, dtype: 'BF16' })
  const before = await inspectModel(dir)
  expect(before).toMatchObject({
    kind: 'folder',
    config,
    calibrated: false,
    tokenizer: 'byte-level BPE',
    chat: false,
  })
  expect(before.tensors[0]).toEqual({ name: 'wte.weight', shape: [300, 16], dtype: 'BF16' })
  await importModel({ from: dir, out, private: 'all' })
  const bundle = await inspectModel(out)
  expect(bundle).toMatchObject({
    kind: 'bundle',
    parameters: before.parameters,
    privateParameters: before.parameters,
  })
  expect(bundle.blockers.join()).toContain('not calibrated')
  const text = join(root, 'text.txt')
  writeFileSync(text, 'Hello world, this is a text. '.repeat(20))
  rmSync(out, { recursive: true })
  const report = await importModel({ from: dir, out, calibrate: text })
  expect(report.calibrated).toBe(true)
  const calibrated = await inspectModel(out)
  expect(calibrated.blockers).toEqual([])
  expect(calibrated.ranges).toEqual(report.ranges)
  rmSync(join(out, 'private.safetensors'))
  expect((await inspectModel(out)).blockers.join()).toContain('private.safetensors is missing')
  expect(existsSync(out)).toBe(true)
})
