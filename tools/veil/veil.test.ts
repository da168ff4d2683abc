/** Veiling as a developer does it: what lies where, which keys open it, and what is refused. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { HfConfig } from '../../src/model/architectures/hf-reader.ts'
import { OwnerEnds } from '../../src/protections/veiled/owner-ends.ts'
import { parseOwnerKey } from '../../src/protections/veiled/owner-key.ts'
import { byteLevelJson } from '../../test/support/checkpoint-folder.ts'
import {
  randomCheckpoint,
  readCheckpoint,
  type WideTensors,
  writeCheckpoint,
} from '../../test/support/veil/checkpoint.ts'
import { veilCases } from '../../test/support/veil/models.ts'
import { readDeveloperKeys } from './developer-keys.ts'
import { veilModel } from './veil.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-veil-'))
afterAll(() => rmSync(dir, { recursive: true }))
let folders = 0
const folder = (): string => join(dir, String(++folders))

const llama = veilCases[0]
const read = (path: string): HfConfig => JSON.parse(readFileSync(path, 'utf8'))

function written(
  change: (tensors: WideTensors) => void = () => undefined,
  config: HfConfig = llama.config,
): string {
  const from = folder()
  const tensors = randomCheckpoint(llama.config, 1, llama.without)
  change(tensors)
  writeCheckpoint(from, config, tensors, { type: 'F16' })
  return from
}

const options = { group: 'bits', tenant: 'clinic' } as const

test('the cloud gets weights and a configuration, of which only tied heads and ids are others', async () => {
  const [from, out, keys] = [written(), folder(), folder()]
  writeFileSync(join(from, 'generation_config.json'), JSON.stringify({ eos_token_id: [5, 7], top_k: 5 }))
  writeFileSync(join(from, 'tokenizer.json'), JSON.stringify(byteLevelJson()))
  writeFileSync(join(from, 'README.md'), 'of a secret base')
  const report = await veilModel({ from, out, keys, ...options })
  expect(readdirSync(out).sort()).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'veil.json',
  ])
  const ends = new OwnerEnds(parseOwnerKey(readFileSync(report.ownerKey, 'utf8'), ''))
  const { _name_or_path: _, ...config } = llama.config
  expect(read(join(out, 'config.json'))).toEqual({
    ...config,
    tie_word_embeddings: false,
    eos_token_id: ends.veilIds([5])[0],
  })
  expect(read(join(out, 'generation_config.json'))).toEqual({ eos_token_id: ends.veilIds([5, 7]), top_k: 5 })
  ends.check(String(read(join(out, 'veil.json')).keyId))
  expect(existsSync(join(keys, 'tokenizer', 'tokenizer.json'))).toBe(true)
})

test('owners hold the ends’ seeds, and nothing of the developer’s', async () => {
  const [from, out, keys] = [written(), folder(), folder()]
  const { ownerKey } = await veilModel({ from, out, keys, ...options })
  const key = parseOwnerKey(readFileSync(ownerKey, 'utf8'), ownerKey)
  expect(Object.keys(key.ends)).toEqual(['tokens'])
  const [developer] = readDeveloperKeys(keys)
  expect(JSON.stringify(key)).not.toContain(developer.seed)
  for (const file of [ownerKey, join(keys, 'developer.json')]) expect(statSync(file).mode & 0o777).toBe(0o600)
  const withRows = await veilModel({ from, out: folder(), keys: folder(), ...options, withRows: true })
  const more = parseOwnerKey(readFileSync(withRows.ownerKey, 'utf8'), '')
  expect(Object.keys(more.ends)).toEqual(['tokens', 'rows'])
})

test('an embedded row of the owner is the row that the cloud looks up', async () => {
  for (const group of ['bits', 'full'] as const) {
    const from = folder()
    const original = randomCheckpoint(llama.config, 1, llama.without)
    writeCheckpoint(from, llama.config, original)
    const out = folder()
    const { ownerKey } = await veilModel({ from, out, keys: folder(), ...options, group, withRows: true })
    const ends = new OwnerEnds(parseOwnerKey(readFileSync(ownerKey, 'utf8'), ''))
    const row = (tensors: WideTensors, id: number) =>
      tensors.get('model.embed_tokens.weight')!.data.slice(48 * id, 48 * (id + 1))
    const own = ends.veilRow(row(original, 9))
    row(readCheckpoint(out), ends.veilIds([9])[0]).forEach((value, i) => {
      expect(value).toBeCloseTo(own[i], 12)
    })
  }
})

test('a second run makes another key, and the first one is kept', async () => {
  const [from, keys] = [written(), folder()]
  const first = await veilModel({ from, out: folder(), keys, ...options })
  const second = await veilModel({ from, out: folder(), keys, ...options })
  expect(second.keyId).not.toBe(first.keyId)
  expect(readDeveloperKeys(keys).map(({ keyId }) => keyId)).toEqual([first.keyId, second.keyId])
  expect(existsSync(first.ownerKey) && existsSync(second.ownerKey)).toBe(true)
  const ends = new OwnerEnds(parseOwnerKey(readFileSync(second.ownerKey, 'utf8'), ''))
  expect(() => ends.check(first.keyId)).toThrow(expect.objectContaining({ code: 'other-key' }))
})

test('a key that there is gives the same folder again', async () => {
  const [from, keys, a, b] = [written(), folder(), folder(), folder()]
  const { keyId } = await veilModel({ from, out: a, keys, ...options })
  const again = await veilModel({ from, out: b, keys, ...options, key: keyId.slice(0, 8) })
  expect(again.keyId).toBe(keyId)
  expect(readFileSync(join(b, 'model.safetensors'))).toEqual(readFileSync(join(a, 'model.safetensors')))
  const other = veilModel({ from, out: folder(), keys, ...options, group: 'full', key: keyId })
  await expect(other).rejects.toMatchObject({ name: 'VeilError', fault: 'keys' })
  const none = veilModel({ from, out: folder(), keys, ...options, key: 'ffff' })
  await expect(none).rejects.toMatchObject({ name: 'KeyFileError', code: 'other-key' })
})

test('several files come out as several, with an index', async () => {
  const [from, out] = [folder(), folder()]
  writeCheckpoint(from, llama.config, randomCheckpoint(llama.config, 1, llama.without), {
    type: 'BF16',
    files: 3,
  })
  await veilModel({ from, out, keys: folder(), ...options })
  const files = readdirSync(out).filter((file) => file.endsWith('.safetensors'))
  expect(files).toEqual(readdirSync(from).filter((file) => file.endsWith('.safetensors')))
  const index = read(join(out, 'model.safetensors.index.json')) as { weight_map: Record<string, string> }
  expect(index.weight_map['lm_head.weight']).toBe(index.weight_map['model.embed_tokens.weight'])
})

test.each([
  ['a form that nobody knows', { model_type: 'mamba' }, 'VeilError', 'mamba'],
  ['interleaved pairs', { rope_interleaved: true }, 'HfConfigError', 'rope_interleaved'],
  ['rotary positions of a part', { partial_rotary_factor: 0.5 }, 'HfConfigError', 'partial_rotary_factor'],
  ['another width', { hidden_size: 96 }, 'VeilError', 'shape'],
])('%s is refused', async (_, change, name, word) => {
  const from = written(undefined, { ...llama.config, ...change })
  const [out, keys] = [folder(), folder()]
  const failing = veilModel({ from, out, keys, ...options })
  await expect(failing).rejects.toMatchObject({ name, message: expect.stringContaining(word) })
  expect(existsSync(out) || existsSync(keys)).toBe(false)
})

test('a tensor of which no rule speaks is never served as it is', async () => {
  const from = written((tensors) => {
    tensors.set('model.layers.0.adapter.weight', { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) })
  })
  await expect(veilModel({ from, out: folder(), keys: folder(), ...options })).rejects.toMatchObject({
    fault: 'unsupported',
    tensor: 'model.layers.0.adapter.weight',
  })
})

test('a missing tensor is named', async () => {
  const name = 'model.layers.1.mlp.up_proj.weight'
  const from = written((tensors) => {
    tensors.delete(name)
  })
  await expect(veilModel({ from, out: folder(), keys: folder(), ...options })).rejects.toMatchObject({
    fault: 'missing-tensor',
    tensor: name,
  })
})

test('values that would not fit any more stop it, and nothing is left behind', async () => {
  const name = 'model.layers.1.mlp.up_proj.weight'
  const from = written((tensors) => {
    tensors.get(name)!.data.fill(65000)
  })
  const [out, keys] = [folder(), folder()]
  await expect(veilModel({ from, out, keys, ...options })).rejects.toMatchObject({
    fault: 'bad-values',
    tensor: name,
  })
  expect(existsSync(out) || existsSync(keys)).toBe(false)
})

test('a gain of 0 beside a shift can’t be folded: only group bits takes it', async () => {
  const one = veilCases.find(({ name }) => name === 'gpt2')!
  const from = folder()
  const tensors = randomCheckpoint(one.config, 1, one.without)
  tensors.get('h.0.ln_1.weight')!.data[3] = 0
  writeCheckpoint(from, one.config, tensors)
  const full = veilModel({ from, out: folder(), keys: folder(), ...options, group: 'full' })
  await expect(full).rejects.toMatchObject({ fault: 'bad-values', tensor: 'h.0.ln_1.weight' })
  await veilModel({ from, out: folder(), keys: folder(), ...options })
})

test('keys are never put into the cloud’s folder', async () => {
  const [from, out] = [written(), folder()]
  for (const keys of [out, join(out, 'keys'), join(out, '..', out.split('/').at(-1)!, 'k')])
    await expect(veilModel({ from, out, keys, ...options })).rejects.toMatchObject({ fault: 'keys' })
  expect(existsSync(out)).toBe(false)
})

test('damaged key files are refused, and stay as they are', async () => {
  const [from, keys] = [written(), folder()]
  await veilModel({ from, out: folder(), keys, ...options })
  const file = join(keys, 'developer.json')
  for (const text of [
    '{',
    '{"format":"sotto-veil-owner/1"}',
    '{"format":"sotto-veil-developer/1","keys":[{}]}',
  ]) {
    writeFileSync(file, text)
    const failing = veilModel({ from, out: folder(), keys, ...options })
    await expect(failing).rejects.toMatchObject({ name: 'KeyFileError' })
    expect(readFileSync(file, 'utf8')).toBe(text)
  }
})

test('a whole bundle is veiled as a folder of Hugging Face’s is', async () => {
  const from = folder()
  cpSync('models/sotto-demo', from, { recursive: true })
  const out = folder()
  const report = await veilModel({ from, out, keys: folder(), ...options })
  expect(report).toMatchObject({ family: 'llama', isUntied: true })
  expect(readdirSync(out)).toContain('model.safetensors')
})
