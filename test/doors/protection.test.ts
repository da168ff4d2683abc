/** A protection is one entry of the owner's list and one of the server's: nothing else has to know it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newIdentity } from '../../src/handshake/node/key-file.ts'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { readCatalog } from '../../src/model/files/catalog.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { softmax } from '../../src/model/math.ts'
import { generate } from '../../src/model/sample.ts'
import { stopIds } from '../../src/model/tokenizer/chat.ts'
import { encodePrompt } from '../../src/model/tokenizer/encode-chat.ts'
import { encodeForEncoder } from '../../src/model/tokenizer/encode-text.ts'
import type { OwnerEvent } from '../../src/owner/api.ts'
import { nodePlatform } from '../../src/owner/node/platform.ts'
import { Owner } from '../../src/owner/owner.ts'
import { protections } from '../../src/protections/registry.ts'
import { servingProtections } from '../../src/protections/server-registry.ts'
import { type RunningServer, startServer } from '../../src/server/start.ts'
import { writeTinyBundle } from '../support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../support/session/tiny-classifier.ts'
import { toy, toyServing } from './toy-protection.ts'

const logged: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })
let folder: string
let chat: Bundle
let classifier: Bundle
let server: RunningServer
const owners: Owner[] = []

const start = async (models: string) =>
  startServer({
    identity: newIdentity(),
    catalog: await readCatalog(models),
    protections: [toyServing, ...servingProtections],
    log,
    host: '127.0.0.1',
    port: 0,
    origins: [],
  })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-toy-'))
  chat = await writeTinyBundle(join(folder, 'models'), 'toy-chat')
  classifier = await writeTinyClassifier(join(folder, 'models'), 'toy-classifier')
  server = await start(join(folder, 'models'))
})
afterEach(async () => {
  for (const owner of owners.splice(0)) await owner.close()
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function ownerWith(offered = [...protections, toy]): Owner {
  const owner = new Owner({ server: server.url }, nodePlatform(), { protections: offered })
  owners.push(owner)
  return owner
}

const messages = [{ role: 'user' as const, content: 'Hello' }]
const greedy = { temperature: 0, topP: 1, seed: 1, maxTokens: 6 }

describe('a protection in one file', () => {
  test('is listed in its own words, by a server without a dealer', async () => {
    expect(server.isReady).toBe(true)
    const models = await ownerWith().models()
    expect(models.map(({ name, protection }) => [name, protection.id, protection.needsDealer])).toEqual([
      ['toy-chat', 'toy', false],
      ['toy-classifier', 'toy', false],
    ])
    expect(models[0].protection.notice).toEqual(toy.notice)
    const { models: raw } = (await (await fetch(`${server.url}/api/models`)).json()) as { models: object[] }
    expect(raw[0]).toMatchObject({ protection: 'toy', toys: 2 })
    expect(raw[0]).not.toHaveProperty('planHash')
  })

  test.each(['ws', 'fetch'] as const)('chats over %s as the float model does', async (link) => {
    const owner = ownerWith()
    const events: OwnerEvent[] = []
    const info = await owner.open({ model: 'toy-chat', link }, (event) => events.push(event))
    expect(info).toMatchObject({ link: { kind: link }, model: { protection: { id: 'toy' } } })
    expect(info.dealer).toBeUndefined()
    const { ids } = await owner.chat(messages, greedy)
    const { manifest, tensors, tokenizer } = chat
    const prompt = encodePrompt(new Tokenizer(tokenizer, {}), manifest, messages)
    // Longer than a pass of the toy.
    expect(prompt.length).toBeGreaterThan(5)
    const model = floatModel(manifest.config, tensors)
    expect(ids).toEqual([...generate(model, prompt, { ...greedy, stop: stopIds(manifest) })])
    expect(events).toContainEqual(
      expect.objectContaining({ phase: 'connect', text: 'Connecting to the toy' }),
    )
    // It hides nothing, and nobody says otherwise.
    expect(JSON.stringify(events)).toContain('Reading your message')
    expect(JSON.stringify(events)).not.toContain('privately')
    expect(owner.totals()).toMatchObject({ hops: 0, dealerBytes: 0 })
    expect(owner.totals().rows).toBeGreaterThanOrEqual(prompt.length + ids.length - 1)
  })

  test('labels texts as the float model does, cut where it says', async () => {
    const owner = ownerWith()
    await owner.open({ model: 'toy-classifier', link: 'ws' }, () => undefined)
    const inputs = [{ text: 'a good film' }, { text: 'It was short. '.repeat(20), pair: 'I hated it' }]
    const results = await owner.classify(inputs)
    expect(results.map(({ isCut }) => isCut)).toEqual([false, true])
    const { manifest, tensors, tokenizer } = classifier
    results.forEach(({ probabilities }, i) => {
      const { text, pair } = inputs[i]
      const input = encodeForEncoder(new Tokenizer(tokenizer, {}), manifest.config, 20, text, pair)
      const want = encoderModel(manifest.config, tensors).forward(input).logits!
      softmax(want)
      probabilities.forEach(({ probability }, k) => {
        expect(probability).toBeCloseTo(want[k], 12)
      })
    })
  })

  test('is unknown to an owner whose list lacks it', async () => {
    const owner = ownerWith([...protections])
    expect(await owner.models()).toEqual([])
    await expect(owner.open({ model: 'toy-chat' }, () => undefined)).rejects.toMatchObject({
      code: 'unknown-protection',
      message: expect.stringContaining("'toy'"),
    })
  })
})

test('a model that no other protection takes is secret sharing’s, which says what it needs', async () => {
  await writeTinyBundle(join(folder, 'other'), 'tiny')
  await expect(start(join(folder, 'other'))).rejects.toThrow('Secret sharing of tiny needs a dealer')
})

test('a page that asks for a model that the server has not is told so', async () => {
  const owner = ownerWith([
    {
      ...toy,
      connect: (request) =>
        toy.connect({ ...request, listing: { ...request.listing, hash: 'ab'.repeat(32) } }),
    },
  ])
  await expect(owner.open({ model: 'toy-chat', link: 'ws' }, () => undefined)).rejects.toMatchObject({
    code: 'unknown-model',
  })
})
