/** A session that ends under a reply: the next one goes on where it was, whatever ids the turns before had. */
import { expect, test } from 'vitest'
import type { ServedListing } from '../handshake/listing.ts'
import type { TextInput } from '../model/graph/interpret.ts'
import type { Connection, Protection } from '../protections/protection.ts'
import { notice } from '../protections/shared/notice.ts'
import { LinkError } from '../transport/errors.ts'
import { newTraffic } from '../transport/link.ts'
import type { Message } from './api.ts'
import type { ChatOptions } from './chat-options.ts'
import { Owner } from './owner.ts'
import type { Platform } from './platform.ts'
import type { ModelSource } from './source.ts'

const [END, A, B] = [3, 4, 5]
/** What is said letter by letter, a tokenizer writes in fewer tokens. */
const letters = {
  ...{
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Fuse' },
    added_tokens: [],
  },
  model: {
    type: 'BPE',
    vocab: { s: 0, u: 1, m: 2, e: END, a: A, b: B, ab: 6, abab: 7 },
    merges: ['a b', 'ab ab'],
  },
}
const marks = { template: '', bos: 0, user: 1, assistant: 2, end: END, stop: [END] }
const chat: ChatOptions = { temperature: 0, topP: 1, maxTokens: 64, conversation: 'c' }

/** A model that says so many letters to everything; the session is lost before the pass that `failsAt` counts down to. */
function speaker(hash: { now: string }, said: number, isLabelling = false) {
  const state = { failsAt: -1, sessions: 0, isAway: false, staysAway: false, attempts: 0 }
  const connect = async (): Promise<Connection> => {
    state.attempts++
    if (state.isAway) throw Object.assign(new LinkError('lost', 'gone'), { retryAfter: 15 })
    state.sessions++
    const ids: number[] = []
    const run = async (base: number, input: TextInput) => {
      if (state.failsAt-- === 0) {
        state.isAway = state.staysAway
        throw new LinkError('lost', 'gone')
      }
      if (isLabelling) return Float64Array.of(Number(hash.now), 0)
      expect(base).toBeLessThanOrEqual(ids.length)
      ids.splice(base, Number.POSITIVE_INFINITY, ...Array.from(input.ids))
      const at = ids.length - 1 - ids.lastIndexOf(marks.assistant)
      const logits = new Float64Array(8)
      logits[at >= said ? END : at % 2 === 0 ? A : B] = 1
      return logits
    }
    const head = isLabelling ? { kind: 'classify', labels: ['a', 'b'] } : undefined
    const config = { context: 512, head }
    const model = { name: 'm', chat: marks, continuesText: !isLabelling, config }
    return {
      ...{ sessionId: '', link: { name: '', reason: '' }, backend: { name: '', reason: '' }, maxTokens: 8 },
      texts: { tokenizer: letters, model },
      run,
      ...{ prepare: async () => undefined, abandon: async () => undefined, close: async () => undefined },
      counts: () => ({
        tokens: 0,
        tokensReady: 0,
        hops: 0,
        privateProducts: 0,
        dispatches: 0,
        server: newTraffic(),
        serverSample: new Uint8Array(),
      }),
    } as object as Connection
  }
  const protections = [{ id: 'p', notice, needsServer: true, needsDealer: false, connect } as Protection]
  const source: ModelSource = {
    list: async () => ({
      models: [{ name: 'm', protection: 'p', hash: hash.now, context: 512 } as object as ServedListing],
      serverKey: '',
    }),
    load: () => Promise.reject(new Error('nothing to load')),
  }
  const host = { base: 'http://localhost/', server: 'http://localhost/' }
  const owner = new Owner({ server: host.server }, {} as Platform, { protections, source })
  return { owner, state }
}

const ask = (id: string): Message => ({ id, role: 'user', content: 'ab' })

test.each([2, 9, 14, 20, 25])(
  'a reply goes on behind turns of more tokens than their texts have (lost at pass %i)',
  async (failsAt) => {
    const { owner, state } = speaker({ now: '1' }, 30)
    await owner.open({ model: 'm' }, () => undefined)
    const first = await owner.chat([ask('1')], { ...chat, reply: '2' })
    expect(first).toMatchObject({ text: 'ab'.repeat(15), finish: 'stop' })
    const messages: Message[] = [ask('1'), { id: '2', role: 'assistant', content: first.text }, ask('3')]
    state.failsAt = failsAt
    const second = await owner.chat(messages, { ...chat, reply: '4' })
    expect(state.sessions).toBe(2)
    expect(second).toMatchObject({ text: 'ab'.repeat(15), finish: 'stop', promptTokens: 40 })
  },
)

test('a reply of which nothing was heard begins anew with another model, which knows nothing of the first one’s places', async () => {
  const hash = { now: '1' }
  const { owner, state } = speaker(hash, 30)
  await owner.open({ model: 'm' }, () => undefined)
  const { text } = await owner.chat([ask('1')], { ...chat, reply: '2' })
  const messages: Message[] = [ask('1'), { id: '2', role: 'assistant', content: text }, ask('3')]
  Object.assign(state, { failsAt: 2 })
  hash.now = '2'
  const second = await owner.chat(messages, { ...chat, reply: '4' })
  expect(second).toMatchObject({ text: 'ab'.repeat(15), finish: 'stop', promptTokens: 18 })
})

test('who stops while nobody is there waits for nobody, and keeps what there was of the reply', async () => {
  const { owner, state } = speaker({ now: '1' }, 30)
  await owner.open({ model: 'm' }, () => undefined)
  Object.assign(state, { failsAt: 12, staysAway: true })
  const replying = owner.chat([ask('1')], { ...chat, reply: '2' })
  await expect.poll(() => state.attempts).toBe(2)
  await owner.stop()
  const { text, finish } = await replying
  expect(finish).toBe('cancelled')
  expect(text).toMatch(/^(ab)+a?$/)
  expect(state.attempts).toBe(2)
  // The next request looks for them again by itself.
  state.isAway = false
  const { finish: end } = await owner.chat([ask('1')], { ...chat, reply: '3' })
  expect(end).toBe('stop')
})

test('labels of another model than that which was opened are nobody’s answers', async () => {
  const hash = { now: '1' }
  const { owner, state } = speaker(hash, 0, true)
  await owner.open({ model: 'm' }, () => undefined)
  expect(await owner.classify([{ text: 'ab' }])).toMatchObject([{ label: 'a' }])
  state.failsAt = 0
  hash.now = '-1'
  await expect(owner.classify([{ text: 'ab' }])).rejects.toMatchObject({ code: 'lost' })
  expect(state.sessions).toBe(2)
})
