import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { newFolder, smallConfigs, writeFolder } from '../../test/support/checkpoint-folder.ts'
import { importModel } from './import-model.ts'

let root: string
let dir: string
beforeEach(() => {
  root = newFolder()
  dir = join(root, 'model')
  const { head: _, ...bare } = smallConfigs.bert
  writeFolder(dir, { config: bare, dtype: 'F32' })
})
afterEach(() => rmSync(root, { recursive: true }))

const write = (file: string, value: unknown) => writeFileSync(join(dir, file), JSON.stringify(value))

/** As Sentence Transformers writes it. */
function sentence(kinds: string[], pooling: object = { pooling_mode_mean_tokens: true }, path = ''): void {
  write(
    'modules.json',
    kinds.map((kind, idx) => ({
      idx,
      name: String(idx),
      path: idx === 0 ? path : `${idx}_${kind}`,
      type: `sentence_transformers.models.${kind}`,
    })),
  )
  mkdirSync(join(dir, '1_Pooling'), { recursive: true })
  write('1_Pooling/config.json', { word_embedding_dimension: 32, ...pooling })
}

const imported = async (o = {}) => {
  const out = join(root, 'bundle')
  const report = await importModel({ from: dir, out, ...o })
  return { report, manifest: (await loadBundle(out)).manifest }
}

test('pooling, normalisation, the longest text and a prompt are those of the folder', async () => {
  sentence(['Transformer', 'Pooling', 'Normalize'], {
    pooling_mode_cls_token: true,
    pooling_mode_mean_tokens: false,
  })
  write('sentence_bert_config.json', { max_seq_length: 17, do_lower_case: false })
  write('config_sentence_transformers.json', {
    prompts: { query: 'query: ', passage: '' },
    default_prompt_name: 'query',
  })
  const { report, manifest } = await imported()
  expect(manifest.pooling).toEqual({ kind: 'cls', normalize: true, prompt: 'query: ' })
  expect(manifest.config.context).toBe(17)
  expect(report.notes).toContainEqual('Every text is read behind "query: ".')
})

test('the settings may have any of their older names, of which the first counts', async () => {
  sentence(['Transformer', 'Pooling'])
  write('sentence_xlnet_config.json', { max_seq_length: 9 })
  write('sentence_roberta_config.json', { max_seq_length: 13 })
  expect((await imported()).manifest.config.context).toBe(13)
})

test('a transformer in a folder of its own, with a head that vectors are not made by', async () => {
  rmSync(dir, { recursive: true })
  writeFolder(dir, { config: smallConfigs.bert, dtype: 'F32' })
  renameSync(dir, join(root, '0_Transformer'))
  mkdirSync(dir)
  renameSync(join(root, '0_Transformer'), join(dir, '0_Transformer'))
  sentence(['Transformer', 'Pooling'], { pooling_mode: 'mean' }, '0_Transformer')
  const { manifest } = await imported({ context: 12 })
  expect(manifest.pooling).toEqual({ kind: 'mean', normalize: false })
  expect(manifest.config).toMatchObject({ context: 12 })
  expect(manifest.config.head).toBeUndefined()
})

test.each([
  ['Dense', ['Transformer', 'Pooling', 'Dense'], {}],
  ['max', ['Transformer', 'Pooling'], { pooling_mode_mean_tokens: false, pooling_mode_max_tokens: true }],
  ['lasttoken', ['Transformer', 'Pooling'], { pooling_mode: 'lasttoken', pooling_mode_mean_tokens: false }],
  ['mean" and "max', ['Transformer', 'Pooling'], { pooling_mode_max_tokens: true }],
  ['CLIPModel', ['CLIPModel'], {}],
  ['no Pooling', ['Transformer'], {}],
])('%s is refused by name', async (name, kinds, pooling) => {
  sentence(kinds, { pooling_mode_mean_tokens: true, ...pooling })
  await expect(imported()).rejects.toMatchObject({
    fault: 'unsupported',
    message: expect.stringContaining(name),
  })
})

test('modules outside the folder, and letters that Python would lower, are refused', async () => {
  sentence(['Transformer', 'Pooling'], {}, '../../etc')
  await expect(imported()).rejects.toMatchObject({ fault: 'bad-file' })
  sentence(['Transformer', 'Pooling'])
  write('sentence_bert_config.json', { do_lower_case: true })
  await expect(imported()).rejects.toThrow('do_lower_case')
})
