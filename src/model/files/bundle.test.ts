import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { demoConfig } from '../architectures/config.ts'
import { fromHfConfig } from '../architectures/hf-config.ts'
import { randomModel } from '../random.ts'
import { loadPublic } from './bundle.ts'
import { loadBundle, setProfile, writeBundle } from './bundle-node.ts'
import { canonicalJson, modelHash, parseManifest } from './manifest.ts'

const config = { ...demoConfig, vocab: 16, dim: 8, heads: 2, kvHeads: 1, layers: 1, ff: 8, context: 8 }
const tensors = randomModel(config, 1)
let dir: string

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sotto-bundle-'))
  await writeBundle(dir, {
    name: 'tiny',
    description: 'for tests',
    license: 'CC0-1.0',
    source: 'random',
    config,
    chat: { template: '', bos: 0, user: 1, assistant: 2, end: 3, stop: [3] },
    profile: {},
    tokenizer: { model: {} },
    tensors,
  })
})
afterEach(() => rmSync(dir, { recursive: true }))

const fetchFrom = (asked: string[]) => async (name: string) => {
  asked.push(name)
  return new Response(readFileSync(join(dir, name)))
}

function damage(name: string, at: number): void {
  const bytes = readFileSync(join(dir, name))
  bytes[at < 0 ? bytes.length + at : at] ^= 1
  writeFileSync(join(dir, name), bytes)
}

function editManifest(edit: (manifest: ReturnType<typeof parseManifest>) => void): void {
  const path = join(dir, 'manifest.json')
  const manifest = parseManifest(readFileSync(path, 'utf8'))
  edit(manifest)
  writeFileSync(path, JSON.stringify(manifest))
}

test('what was written is loaded, to half precision, with blocks private', async () => {
  const bundle = await loadBundle(dir)
  expect([...bundle.tensors.keys()].sort()).toEqual([...tensors.keys()].sort())
  for (const [name, { data }] of tensors)
    data.forEach((value, i) => {
      expect(Math.abs(bundle.tensors.get(name)!.data[i] - value)).toBeLessThanOrEqual(
        Math.abs(value) / 2048 + 1e-7,
      )
    })
  expect(bundle.privateNames.has('model.layers.0.self_attn.q_proj.weight')).toBe(true)
  expect(bundle.privateNames.has('model.embed_tokens.weight')).toBe(false)
  expect(fromHfConfig(JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')))).toEqual(config)
})

test('a browser never asks for the private tensors, and sees progress', async () => {
  const asked: string[] = []
  const progress: number[] = []
  const bundle = await loadBundle(dir)
  const loaded = await loadPublic(fetchFrom(asked), {
    expectedHash: bundle.hash,
    onProgress: (p) => progress.push(p.loaded / p.total),
  })
  expect(asked).toEqual(['manifest.json', 'tokenizer.json', 'public.safetensors'])
  expect(loaded.hash).toBe(bundle.hash)
  expect([...loaded.tensors.keys()]).toEqual(['model.embed_tokens.weight', 'model.norm.weight'])
  expect(progress.at(-1)).toBe(1)
})

test.each(['private.safetensors', 'public.safetensors', 'tokenizer.json', 'config.json'])(
  'one flipped bit in %s is noticed',
  async (name) => {
    damage(name, -3)
    await expect(loadBundle(dir)).rejects.toMatchObject({ name: 'BundleError', code: 'hash-mismatch' })
    if (name === 'public.safetensors')
      await expect(loadPublic(fetchFrom([]))).rejects.toMatchObject({ code: 'hash-mismatch' })
  },
)

test('faults say what is wrong', async () => {
  editManifest((m) => {
    m.tensors[0].sha256 = '0'.repeat(64)
  })
  await expect(loadBundle(dir)).rejects.toThrow('contents of "model.embed_tokens.weight"')
  editManifest((m) => {
    m.tensors.pop()
  })
  await expect(loadBundle(dir)).rejects.toMatchObject({ code: 'missing-tensor' })
})

test('small private tensors have no hash, because all that they may hold can be tried', async () => {
  const manifest = () => parseManifest(readFileSync(join(dir, 'manifest.json'), 'utf8'))
  const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1)
  const [small, large] = [
    manifest().tensors.filter((t) => t.visibility === 'private' && size(t.shape) < 64),
    manifest().tensors.filter((t) => t.visibility === 'public' || size(t.shape) >= 64),
  ]
  expect(small.length).toBeGreaterThan(0)
  expect(small.map(({ sha256 }) => sha256)).toEqual(small.map(() => undefined))
  expect(large.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256 ?? ''))).toBe(true)
  editManifest((m) => {
    const [{ name }] = large
    delete m.tensors.find((t) => t.name === name)!.sha256
  })
  expect(manifest).toThrow('no hash of')
})

test('a wrong shape, a missing file and a broken manifest are told apart', async () => {
  const text = readFileSync(join(dir, 'manifest.json'), 'utf8')
  const wrong = JSON.parse(text)
  wrong.tensors[0].shape = [8, 16]
  expect(() => parseManifest(JSON.stringify(wrong))).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
  expect(() => parseManifest('{')).toThrow(expect.objectContaining({ code: 'bad-manifest' }))
  expect(() => parseManifest(text.replace('"F16"', '"F15"'))).toThrow('tensors.0.dtype')
  rmSync(join(dir, 'private.safetensors'))
  await expect(loadBundle(dir)).rejects.toMatchObject({ code: 'missing-file' })
  const refused = loadPublic(async () => new Response(null, { status: 404 }))
  await expect(refused).rejects.toMatchObject({ code: 'missing-file' })
})

test('an unexpected model and an endless file are refused', async () => {
  await expect(loadPublic(fetchFrom([]), { expectedHash: 'f'.repeat(64) })).rejects.toThrow('was expected')
  const endless = loadPublic(async (name) =>
    name === 'tokenizer.json'
      ? new Response('x'.repeat(10_000))
      : new Response(readFileSync(join(dir, name))),
  )
  await expect(endless).rejects.toThrow('longer than')
})

test('the model hash ignores formatting and covers the profile', async () => {
  const before = (await loadBundle(dir)).hash
  editManifest(() => undefined)
  expect((await loadBundle(dir)).hash).toBe(before)
  const after = await setProfile(dir, { ring: 32 })
  expect(after).not.toBe(before)
  const bundle = await loadBundle(dir)
  expect(bundle.hash).toBe(after)
  expect(bundle.manifest.profile).toEqual({ ring: 32 })
  expect(await modelHash(bundle.manifest)).toBe(after)
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}')
})

const longrope = (pairs: number) => {
  const factors = Array(pairs).fill(1)
  return { kind: 'longrope', factor: 2, original: 4, attention: 1, short: factors, long: factors }
}

test('a longrope has a factor for each pair that turns, of heads that turn in part', () => {
  const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'))
  Object.assign(manifest.config, { rotaryDim: 2, ropeScaling: longrope(1) })
  expect(parseManifest(JSON.stringify(manifest)).config.rotaryDim).toBe(2)
})

test.each([
  { layers: 1e9 },
  { context: 1e9 },
  { heads: 0 },
  { heads: 3 },
  { kvHeads: 0 },
  { dim: 1.5 },
  { eps: Number.NaN },
  { rotaryDim: 3 },
  { rotaryDim: 6 },
  { headDim: 3 },
  { rotaryDim: 2, ropeScaling: longrope(2) },
])('a configuration that nobody should make plans of is refused: %j', (change) => {
  const path = join(dir, 'manifest.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  Object.assign(manifest.config, change)
  expect(() => parseManifest(JSON.stringify(manifest))).toThrow('wrong at config')
})
