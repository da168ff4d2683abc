/** OpenAI's calls against real parties. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Parties } from '../../test/support/session/parties.ts'
import { startEngineParties } from '../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../../test/support/session/tiny-classifier.ts'
import type { ChatResult } from '../owner/chat-options.ts'
import { nodeOwner } from '../owner/node/owner.ts'
import type { Owner } from '../owner/owner.ts'
import { SHARED } from '../protections/shared/id.ts'
import { partiesOf } from './parties.ts'
import { OPEN_MODELS } from './sessions.ts'
import { Sotto } from './sotto.ts'
import type { ChatCompletionChunk, ChatMessage } from './types.ts'

let folder: string
let parties: Parties
const opened: Sotto[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  await writeTinyBundle(folder)
  await writeTinyClassifier(folder)
  await writeTinyClassifier(folder, 'encoder', { head: undefined })
  parties = await startEngineParties(folder)
})
afterEach(async () => {
  for (const sotto of opened.splice(0)) await sotto.close()
})
afterAll(async () => {
  await parties.close()
  rmSync(folder, { recursive: true })
})

/** Engines that were made, and what chats they were asked for. */
function sotto(changes: { heard?: (result: ChatResult) => void; owners?: Owner[] } = {}): Sotto {
  const { dealerUrl, dealerKey } = parties.request()
  const where = {
    server: parties.server.url,
    dealer: { url: dealerUrl, key: dealerKey },
    // Rehearsals come by chance, and bytes are compared.
    protections: { [SHARED]: { audit: 0 } },
  }
  const makeOwner = () => {
    const owner = nodeOwner(partiesOf(where))
    changes.owners?.push(owner)
    return owner
  }
  const made = new Sotto({ ...where, link: 'ws', makeOwner })
  opened.push(made)
  return made
}

const hello: ChatMessage[] = [{ role: 'user', content: 'Hello' }]
const short = { model: 'tiny', messages: hello, max_tokens: 4, temperature: 0 }
const typed = (code: string) => expect.objectContaining({ code, advice: expect.stringMatching(/\w/) })

async function collected(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const all: ChatCompletionChunk[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

const textOf = (chunks: ChatCompletionChunk[]): string =>
  chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')

describe('chat completions', () => {
  test('whole and streamed are the same, and say what they cost', async () => {
    const { chat } = sotto()
    const whole = await chat.completions.create(short)
    expect(whole).toMatchObject({ object: 'chat.completion', model: 'tiny', is_cut: false })
    const [{ message, finish_reason }] = whole.choices
    expect(message.content).not.toBe('')
    const { usage } = whole
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens)
    expect(usage.prompt_tokens).toBeGreaterThan(5)
    for (const count of [usage.hops, usage.bytes.sent, usage.bytes.received, usage.bytes.dealt])
      expect(count).toBeGreaterThan(0)
    const streamed = { ...short, stream: true, stream_options: { include_usage: true } } as const
    const chunks = await collected(await chat.completions.create(streamed))
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' })
    expect(textOf(chunks)).toBe(message.content)
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual([finish_reason])
    const last = chunks.at(-1)
    expect(last?.choices).toEqual([])
    // Asked again, a question is read again, and costs the same.
    expect(last?.usage).toMatchObject({ total_tokens: usage.total_tokens, hops: usage.hops })
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  })

  test('a conversation that goes on is not read again', async () => {
    const { chat } = sotto()
    const first = await chat.completions.create(short)
    const messages: ChatMessage[] = [
      ...hello,
      { role: 'assistant', content: first.choices[0].message.content },
      { role: 'user', content: 'And?' },
    ]
    const next = await chat.completions.create({ ...short, messages })
    const again = await chat.completions.create({ ...short, messages })
    expect(next.usage.bytes.dealt).toBeLessThan(again.usage.bytes.dealt)
  })

  test('a stop ends a reply and is left out, and the lengths that others see stay', async () => {
    const { chat } = sotto()
    const long = { ...short, max_tokens: 12 }
    const whole = await chat.completions.create(long)
    const text = whole.choices[0].message.content
    const stop = text.slice(3, 5)
    const stopped = await chat.completions.create({ ...long, stop })
    expect(stopped.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: text.split(stop)[0] },
    })
    expect(stopped.usage.completion_tokens).toBeLessThan(whole.usage.completion_tokens)
    expect(stopped.usage.hops).toBe(whole.usage.hops)
    const [of, among] = [stopped.usage.bytes, whole.usage.bytes]
    expect(of.dealt).toBe(among.dealt)
    // Besides messages, links count acknowledgements, which come when they come.
    for (const way of ['sent', 'received'] as const)
      expect(Math.abs(of[way] - among[way])).toBeLessThan(among[way] / 100)
    const chunks = await collected(await chat.completions.create({ ...long, stop, stream: true }))
    expect(textOf(chunks)).toBe(text.split(stop)[0])
  })

  test('a signal cancels, waiting or running, and requests behind it are answered', async () => {
    const { chat } = sotto()
    const [running, waiting] = [new AbortController(), new AbortController()]
    const long = { ...short, max_tokens: 200, temperature: 5 }
    const stream = await chat.completions.create({ ...long, stream: true }, { signal: running.signal })
    const second = chat.completions.create(short, { signal: waiting.signal })
    const third = chat.completions.create(short)
    waiting.abort(new Error('no longer'))
    await expect(second).rejects.toThrow('no longer')
    await expect(
      (async () => {
        for await (const { choices } of stream) if (choices[0].delta.content) running.abort()
      })(),
    ).rejects.toMatchObject({ name: 'AbortError' })
    expect((await third).choices[0].message.content).not.toBe('')
  })

  test('a loop that is left cancels its request', async () => {
    const { chat } = sotto()
    const stream = await chat.completions.create({ ...short, max_tokens: 200, temperature: 5, stream: true })
    for await (const _ of stream) break
    expect(stream.controller.signal.aborted).toBe(true)
    expect((await chat.completions.create(short)).choices).toHaveLength(1)
  })

  test('a session that ended meanwhile is opened anew', async () => {
    const owners: Owner[] = []
    const { chat } = sotto({ owners })
    const first = await chat.completions.create(short)
    await owners[0].close()
    const again = await chat.completions.create(short)
    expect(again.choices[0].message).toEqual(first.choices[0].message)
    expect(again.usage.hops).toBe(first.usage.hops)
  })

  test('what is wrong is said before a stream begins', async () => {
    const { chat } = sotto()
    const create = (changes: object) => chat.completions.create({ ...short, stream: true, ...changes })
    await expect(create({ messages: [] })).rejects.toEqual(typed('invalid-request'))
    await expect(create({ model: 'other' })).rejects.toEqual(typed('unknown-model'))
    await expect(create({ model: 'classifier' })).rejects.toEqual(typed('wrong-task'))
    const endless = [{ role: 'user', content: 'word '.repeat(2000) }]
    await expect(create({ messages: endless })).rejects.toEqual(typed('context'))
    expect((await chat.completions.create(short)).choices).toHaveLength(1)
  })
})

test('texts go on', async () => {
  const { completions, chat } = sotto()
  const { messages: _, ...rest } = short
  const whole = await completions.create({ ...rest, prompt: 'Hello' })
  expect(whole.choices[0].text).toBe((await chat.completions.create(short)).choices[0].message.content)
  let text = ''
  for await (const { choices } of await completions.create({ ...rest, prompt: 'Hello', stream: true }))
    text += choices[0].text
  expect(text).toBe(whole.choices[0].text)
})

test('labels, vectors and models, with more models than stay open', async () => {
  const owners: Owner[] = []
  const one = sotto({ owners })
  const { data } = await one.models.list()
  expect(data.map(({ id }) => id).sort()).toEqual(['classifier', 'encoder', 'tiny'])
  expect((await one.models.retrieve('tiny')).listing.protection.id).toBe('shared')
  await expect(one.models.retrieve('other')).rejects.toEqual(typed('unknown-model'))

  const input = ['a good film', { text: 'the story was sad', pair: 'I liked it' }]
  const { data: labels, usage } = await one.classify({ model: 'classifier', input })
  expect(labels.map(({ index }) => index)).toEqual([0, 1])
  const total = labels[0].probabilities.reduce((sum, { probability }) => sum + probability, 0)
  expect(total).toBeCloseTo(1, 6)
  expect(usage.hops).toBeGreaterThan(0)

  const texts = ['a good film', 'the story was long and sad']
  const floats = await one.embeddings.create({ model: 'encoder', input: texts })
  expect(floats.data).toHaveLength(2)
  for (const { embedding } of floats.data) expect(Math.hypot(...embedding)).toBeCloseTo(1, 6)
  const [same] = (await one.embeddings.create({ model: 'encoder', input: texts[0] })).data
  const cosine = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0)
  expect(cosine(same.embedding, floats.data[0].embedding)).toBeGreaterThan(0.999)
  expect(cosine(same.embedding, floats.data[1].embedding)).toBeLessThan(0.999)
  const bytes = await one.embeddings.create({ model: 'encoder', input: texts[0], encoding_format: 'base64' })
  const decoded = new Float32Array(
    new Uint8Array(Buffer.from(bytes.data[0].embedding as string, 'base64')).buffer,
  )
  expect(cosine([...decoded], same.embedding)).toBeGreaterThan(0.999)
  await expect(one.embeddings.create({ model: 'tiny', input: texts })).rejects.toEqual(typed('wrong-task'))

  // One lists; of the others only the last ones are open, and any is opened again.
  expect(owners).toHaveLength(1 + 3)
  const open = owners.slice(1).filter((owner) => isOpen(owner))
  expect(open).toHaveLength(OPEN_MODELS)
  expect((await one.classify({ model: 'classifier', input: 'sad' })).data).toHaveLength(1)
})

test('names of no model end no session, and leave nothing behind', async () => {
  const owners: Owner[] = []
  const { chat, embeddings } = sotto({ owners })
  await chat.completions.create(short)
  await embeddings.create({ model: 'encoder', input: 'sad' })
  for (const model of ['tinyy', 'x', 'y'])
    await expect(chat.completions.create({ ...short, model })).rejects.toEqual(typed('unknown-model'))
  expect(owners.map(isOpen)).toEqual([true, true, false, false, false])
  await chat.completions.create(short)
  await embeddings.create({ model: 'encoder', input: 'sad' })
  expect(owners).toHaveLength(5)
})

function isOpen(owner: Owner): boolean {
  try {
    owner.totals()
    return true
  } catch {
    return false
  }
}

test('parties that others could read along with are refused', () => {
  const dealer = { url: 'https://dealer.example', key: 'k' }
  expect(() => new Sotto({ server: 'http://server.example', dealer })).toThrow('not one of HTTPS')
})
