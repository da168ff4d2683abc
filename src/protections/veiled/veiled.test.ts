/** Owner and server through both doors, over real links: answers are the original's, and what is wrong is refused. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { veilModel } from '../../../tools/veil/veil.ts'
import { newIdentity } from '../../handshake/node/key-file.ts'
import { type Bundle, loadBundle } from '../../model/files/bundle-node.ts'
import { type FloatModel, floatModel } from '../../model/graph/decoder-model.ts'
import { encoderModel } from '../../model/graph/encoder-model.ts'
import { softmax } from '../../model/math.ts'
import { Sampler } from '../../model/sample.ts'
import { stopIds } from '../../model/tokenizer/chat.ts'
import { encodePrompt } from '../../model/tokenizer/encode-chat.ts'
import { encodeForEncoder } from '../../model/tokenizer/encode-text.ts'
import { nodeOwner } from '../../owner/node/owner.ts'
import type { Owner } from '../../owner/owner.ts'
import { type RunningServer, startServer } from '../../server/start.ts'
import { VEILED } from './id.ts'
import { readKits } from './node/kits.ts'

const models = new URL('../../../models/', import.meta.url).pathname
let folder: string
let kitFile: string
let server: RunningServer
let chat: Bundle
let classifier: Bundle
let prompt: number[]
let wanted: number[]
const owners: Owner[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-served-'))
  const veil = (name: string, group: 'bits' | 'full') =>
    veilModel({
      ...{ from: join(models, name), out: join(folder, `${name}-veiled`), keys: join(folder, name) },
      ...{ group, tenant: 'test' },
    })
  kitFile = (await veil('sotto-demo', 'full')).kit!
  await veil('sst2', 'bits')
  chat = await loadBundle(join(models, 'sotto-demo'))
  classifier = await loadBundle(join(models, 'sst2'))
  const { manifest, tensors, tokenizer } = chat
  prompt = encodePrompt(new Tokenizer(tokenizer, {}), manifest, conversation)
  wanted = reply(floatModel(manifest.config, tensors), prompt, 12, new Sampler(options))
  server = await startServer({
    identity: newIdentity(),
    catalog: [],
    settings: { [VEILED]: { clouds: ['sotto-demo', 'sst2'].map((name) => join(folder, `${name}-veiled`)) } },
    log: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    origins: [],
  })
})
afterEach(async () => {
  for (const owner of owners.splice(0)) await owner.close()
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function owner(kits = { ...readKits(join(folder, 'sotto-demo')), ...readKits(join(folder, 'sst2')) }): Owner {
  const made = nodeOwner({ server: server.url, protections: { [VEILED]: { kits } } })
  owners.push(made)
  return made
}

const conversation = [
  { role: 'user' as const, content: 'I need a hotel in Paris, with a view of the river.' },
]

/** The original's reply, its choice among the likeliest 40 as a server tells of them. */
function reply(model: FloatModel, prompt: readonly number[], count: number, sampler: Sampler): number[] {
  const ids: number[] = []
  let logits = model.forward(prompt)
  while (ids.length < count) {
    const least = [...logits].sort((a, b) => b - a)[39]
    const id = sampler.pick(logits.map((logit) => (logit >= least ? logit : Number.NEGATIVE_INFINITY)))
    if (stopIds(chat.manifest).includes(id)) break
    ids.push(id)
    logits = model.forward([id])
  }
  return ids
}

const options = { temperature: 0.9, topP: 0.95, seed: 7 }

test.each(['ws', 'fetch'] as const)('over %s the reply is the original’s, word by word', async (link) => {
  const one = owner()
  const heard: string[] = []
  const info = await one.open({ model: 'sotto-demo-veiled', link, protection: VEILED }, (event) => {
    if (event.type === 'notice') heard.push(event.text)
  })
  expect(heard.join()).toMatch(/have read 80 % of what users write/)
  expect(info).toMatchObject({ link: { kind: link }, model: { protection: { needsDealer: false } } })
  const { ids, text, exposed = '' } = await one.chat(conversation, { ...options, maxTokens: 12 })
  expect(ids.length).toBeGreaterThan(3)
  // As it was measured of this model: some words are read, and some are not.
  expect(exposed).toHaveLength(text.length)
  expect(exposed).toMatch(/·/)
  expect(exposed).toMatch(/[a-z]/)
  expect([...exposed].every((c, i) => c === '·' || c === text[i])).toBe(true)
  expect(ids).toEqual(wanted)
  const { hops, rows, dealerBytes } = one.totals()
  // The last token is not read any more.
  expect({ rows, dealerBytes }).toEqual({ rows: prompt.length + ids.length - 1, dealerBytes: 0 })
  expect(hops).toBe(2 * ids.length)
})

test('labels are the original’s', async () => {
  const one = owner()
  await one.open({ model: 'sst2-veiled', protection: VEILED }, () => undefined)
  const inputs = [{ text: 'A moving, funny film.' }, { text: 'It was long, and then it was longer.' }]
  const results = await one.classify(inputs)
  const { manifest, tensors, tokenizer } = classifier
  results.forEach(({ probabilities }, i) => {
    const encoded = encodeForEncoder(new Tokenizer(tokenizer, {}), manifest.config, 128, inputs[i].text)
    const want = encoderModel(manifest.config, tensors).forward(encoded).logits!
    softmax(want)
    expect(probabilities.map(({ label }) => label)).toEqual(
      manifest.config.head?.kind === 'classify' && manifest.config.head.labels,
    )
    probabilities.forEach(({ probability }, k) => {
      expect(Math.abs(probability - want[k])).toBeLessThan(1e-4)
    })
  })
})

test('a reply that is stopped can be followed by another', async () => {
  const one = owner()
  await one.open({ model: 'sotto-demo-veiled', protection: VEILED }, (event) => {
    if (event.type === 'token') void one.stop()
  })
  const greedy = { temperature: 0, topP: 1, maxTokens: 6 }
  const stopped = await one.chat(conversation, greedy)
  expect(stopped.finish).toBe('cancelled')
  const { ids } = await one.chat([{ role: 'user', content: 'And a table for two.' }], {
    ...greedy,
    maxTokens: 1,
  })
  expect(ids).toHaveLength(1)
})

test('without the key, or with another one, there is no session', async () => {
  const other = await veilModel({
    ...{ from: join(models, 'sotto-demo'), out: join(folder, 'other'), keys: join(folder, 'others') },
    ...{ group: 'bits', tenant: 'test' },
  })
  const kits = readKits(other.ownerKey)
  const open = (of: Owner) => of.open({ model: 'sotto-demo-veiled', protection: VEILED }, () => undefined)
  await expect(open(owner(kits))).rejects.toMatchObject({ name: 'ProtectionError', code: 'key-needed' })
  const keyId = Object.keys(readKits(join(folder, 'sotto-demo')))[0]
  const late = owner({})
  await expect(open(late)).rejects.toMatchObject({ code: 'key-needed' })
  const damaged = late.giveKey(VEILED, readFileSync(other.ownerKey, 'utf8'))
  await expect(damaged).rejects.toMatchObject({ code: 'key-needed', message: /a key by itself/ })
  await late.giveKey(VEILED, readFileSync(kitFile, 'utf8'))
  expect((await open(late)).model.name).toBe('sotto-demo-veiled')
  const posing = { [keyId]: kits[other.keyId] }
  await expect(open(owner(posing))).rejects.toMatchObject({ message: /is veiled with key/ })
  expect(() => readKits(join(folder, 'sotto-demo', 'developer.json'))).toThrow(/not a key of a data owner/)
})
