/** Labels from a private classifier: the owner's engine against real parties. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Parties } from '../../test/support/session/parties.ts'
import { startEngineParties } from '../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../../test/support/session/tiny-classifier.ts'
import { pageConfig } from '../cli/page-config.ts'
import { fetchListings } from '../handshake/listing.ts'
import type { Bundle } from '../model/files/bundle-node.ts'
import { encoderModel } from '../model/graph/encoder-model.ts'
import { softmax } from '../model/math.ts'
import { encodeForEncoder } from '../model/tokenizer/encode-text.ts'
import { ProtectionError } from '../protections/protection.ts'
import { type Classification, type ClassifyInput, isUnanswered, type OwnerEvent } from './api.ts'
import { classify } from './classifying.ts'
import type { Open } from './connect.ts'
import { nodePlatform } from './node/platform.ts'
import { Owner } from './owner.ts'

let folder: string
let bundle: Bundle
let parties: Parties
const owners: Owner[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  bundle = await writeTinyClassifier(folder)
  await writeTinyBundle(folder)
  parties = await startEngineParties(folder)
})
afterEach(async () => {
  for (const owner of owners.splice(0)) await owner.close()
})
afterAll(async () => {
  await parties.close()
  rmSync(folder, { recursive: true })
})

const typed = (code: string) => expect.objectContaining({ code, advice: expect.stringMatching(/\w/) })
const chatting = { temperature: 0, topP: 1, seed: 1, maxTokens: 2 }
const hello = [{ role: 'user' as const, content: 'Hello' }]

async function opened(model = 'classifier', onEvent: (event: OwnerEvent) => void = () => undefined) {
  const { dealerUrl, dealerKey } = parties.request()
  const config = pageConfig(parties.server.url, { url: dealerUrl, key: dealerKey }, 0)
  const owner = new Owner(config, nodePlatform())
  owners.push(owner)
  return { owner, info: await owner.open({ model, link: 'ws' }, onEvent) }
}

function expected({ text, pair }: ClassifyInput): number[] {
  const { config } = bundle.manifest
  const input = encodeForEncoder(new Tokenizer(bundle.tokenizer, {}), config, config.context, text, pair)
  const p = encoderModel(config, bundle.tensors).forward(input).logits!
  softmax(p)
  return [...p]
}

const inputs: ClassifyInput[] = [
  { text: 'a good film' },
  { text: 'the story was long and sad but not bad', pair: 'I hated it' },
  { text: 'It was short. '.repeat(20) },
  { text: '' },
]

test('labels and probabilities are those of the float model, in order, as they come', async () => {
  const events: OwnerEvent[] = []
  const { owner, info } = await opened('classifier', (event) => events.push(event))
  expect(info.model).toMatchObject({ task: 'classify', pairs: true })
  expect(info.model.labels).toEqual(['negative', 'neutral', 'positive'])
  const results = await owner.classify(inputs)
  expect(results.map((r) => r.isCut)).toEqual([false, false, true, false])
  results.forEach((result, i) => {
    const want = expected(inputs[i])
    expect(result.probabilities.map((p) => p.label)).toEqual(info.model.labels)
    result.probabilities.forEach(({ probability }, k) => {
      expect(Math.abs(probability - want[k])).toBeLessThan(0.005)
    })
    const most = Math.max(...result.probabilities.map((p) => p.probability))
    expect(result.probabilities.find((p) => p.probability === most)?.label).toBe(result.label)
  })
  const said = events.flatMap((e) => (e.type === 'classified' ? [e] : []))
  expect(said.map((e) => e.index)).toEqual([0, 1, 2, 3])
  expect(said.map((e) => e.result)).toEqual(results)
  const progress = events.flatMap((e) => (e.type === 'progress' && e.phase === 'prefill' ? [e.done] : []))
  expect(progress).toEqual([0, 1, 2, 3, 4])
})

test('texts of one bucket are the same to the server and the dealer: rows, hops and dealt bytes', async () => {
  const seen: object[] = []
  for (const text of ['good', 'the film is very funny and the story was']) {
    const { owner } = await opened()
    await owner.classify([{ text }])
    const { rows, hops, dealerBytes } = owner.totals()
    expect(rows).toBe(16)
    seen.push({ rows, hops, dealerBytes })
  }
  expect(seen[0]).toEqual(seen[1])
})

test('a text that has no answer is said, and left, and the next pass comes as it would have come', async () => {
  const { tokenizer, manifest } = bundle
  const { info } = await opened()
  const seen: (number | undefined)[] = []
  const run = async (_: number, __: unknown, o?: { next?: number }) => {
    seen.push(o?.next)
    if (seen.length === 2) throw new ProtectionError('out-of-range', 'Noise.', 'Calibrate.')
    return Float64Array.of(0, 1, 0)
  }
  const open = {
    tokenizer: new Tokenizer(tokenizer, {}),
    model: manifest,
    info,
    connection: { run, maxTokens: manifest.config.context, counts: () => ({}) },
  } as unknown as Open
  const events: OwnerEvent[] = []
  const running = {
    signal: new AbortController().signal,
    onEvent: (event: OwnerEvent) => void events.push(event),
    passed: () => undefined,
  }
  const answers = await classify(open, inputs.slice(0, 3), running)
  const error = { code: 'out-of-range', message: 'Noise.', advice: 'Calibrate.' }
  expect(answers).toEqual([expect.objectContaining({ label: 'neutral' }), { error }, expect.anything()])
  expect(answers.map(isUnanswered)).toEqual([false, true, false])
  expect(events.filter(({ type }) => type === 'classified' || type === 'unanswered')).toEqual([
    { type: 'classified', index: 0, result: answers[0] },
    { type: 'unanswered', index: 1, error },
    { type: 'classified', index: 2, result: answers[2] },
  ])
  // What follows is prepared whatever becomes of the text.
  expect(seen).toEqual([expect.any(Number), expect.any(Number), undefined])
})

test('stops when it is told to, with the results so far, and goes on afterwards', async () => {
  const results: Classification[] = []
  const { owner } = await opened('classifier', (event) => {
    if (event.type !== 'classified') return
    results.push(event.result)
    if (results.length === 2) void owner.stop()
  })
  const many = Array.from({ length: 6 }, () => inputs[0])
  const first = owner.classify(many)
  await expect(owner.classify(many)).rejects.toEqual(typed('busy'))
  const got = await first
  expect(got).toHaveLength(2)
  expect(got).toEqual(results)
  const again = await owner.classify([inputs[1]])
  expect(again[0].label).toBe((await owner.classify([inputs[1]]))[0].label)
})

test('a model that its server still prepares is waited for', async () => {
  // Chat models are prepared first, and a server is ready with the first.
  const fresh = await startEngineParties(folder)
  try {
    const cards = await fetchListings(fresh.server.url)
    expect(cards.models.map((card) => card.name)).toEqual(['tiny', 'classifier'])
    const { dealerUrl, dealerKey } = fresh.request()
    const config = pageConfig(fresh.server.url, { url: dealerUrl, key: dealerKey }, 0)
    const owner = new Owner(config, nodePlatform())
    const said: string[] = []
    await owner.open({ model: 'classifier', link: 'ws' }, (event) => {
      if (event.type === 'progress') said.push(event.text)
    })
    if (cards.models[1].pending) expect(said).toContain('The server is preparing this model')
    expect(await owner.classify([inputs[0]])).toHaveLength(1)
    await owner.close()
  } finally {
    await fresh.close()
  }
})

test('a classifier does not chat, and a chat model has no labels; the session stays open', async () => {
  const { owner } = await opened()
  await expect(owner.chat(hello, chatting)).rejects.toEqual(typed('wrong-task'))
  expect(await owner.classify([inputs[0]])).toHaveLength(1)
  const talker = await opened('tiny')
  await expect(talker.owner.classify(inputs)).rejects.toEqual(typed('wrong-task'))
  expect((await talker.owner.chat(hello, chatting)).ids.length).toBeGreaterThan(0)
})
