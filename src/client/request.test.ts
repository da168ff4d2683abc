import { expect, test } from 'vitest'
import { chatRequest, classifyRequest, completionRequest, embeddingRequest } from './request.ts'

const chat = (changes: object = {}) => ({
  model: 'm',
  messages: [{ role: 'user', content: 'a' }],
  ...changes,
})
const refused = (code: string, param?: string) =>
  expect.objectContaining({ name: 'RequestError', code, param, advice: expect.stringMatching(/\w/) })

test("a chat in the engine's terms", () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'one' },
        { type: 'text', text: 'two' },
      ],
    },
    { role: 'assistant', content: 'three' },
    { role: 'user', content: 'four' },
  ]
  const { messages: turns, options } = chatRequest(
    chat({ messages, max_completion_tokens: 9, max_tokens: 3, seed: -1, stop: 'END', temperature: 0 }),
  )
  expect(turns).toEqual([
    { role: 'user', content: 'Be brief.\n\none\ntwo' },
    { role: 'assistant', content: 'three' },
    { role: 'user', content: 'four' },
  ])
  expect(options).toEqual({ temperature: 0, topP: 1, seed: 0xffffffff, stop: ['END'], maxTokens: 9 })
})

test.each<[object, string]>([
  [{ n: 2 }, 'n'],
  [{ tools: [{ type: 'function' }] }, 'tools'],
  [{ response_format: { type: 'json_object' } }, 'response_format'],
  [{ logprobs: true }, 'logprobs'],
  [{ presence_penalty: 0.5 }, 'presence_penalty'],
])('%o would change the reply, and is refused', (changes, param) => {
  expect(() => chatRequest(chat(changes))).toThrow(refused('unsupported', param))
})

test('what asks for no more than is done is let through', () => {
  const nothing = { n: 1, tools: [], tool_choice: 'auto', response_format: { type: 'text' }, logprobs: null }
  expect(chatRequest(chat({ ...nothing, frequency_penalty: 0, user: 'u', unheard_of: 1 })).model).toBe('m')
})

test.each<[unknown, string | undefined]>([
  [null, undefined],
  [[], 'model'],
  [{}, 'model'],
  [chat({ messages: [] }), 'messages'],
  [chat({ messages: [{ role: 'assistant', content: 'a' }] }), 'messages'],
  [chat({ messages: [{ role: 'tool', content: 'a' }] }), 'messages.0.role'],
  [chat({ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }), 'messages.0.content'],
  [chat({ temperature: -1 }), 'temperature'],
  [chat({ max_tokens: 0 }), 'max_tokens'],
  [chat({ stop: '' }), 'stop'],
  [chat({ stop: ['a', 'b', 'c', 'd', 'e'] }), 'stop'],
  [chat({ seed: 0.5 }), 'seed'],
])('%o is no request', (body, param) => {
  expect(() => chatRequest(body)).toThrow(refused('invalid-request', param))
})

test('other requests', () => {
  expect(completionRequest({ model: 'm', prompt: ['a'] }).messages).toEqual([{ role: 'user', content: 'a' }])
  expect(() => completionRequest({ model: 'm', prompt: ['a', 'b'] })).toThrow(
    refused('invalid-request', 'prompt'),
  )
  expect(() => completionRequest({ model: 'm', prompt: 'a', echo: true })).toThrow(
    refused('unsupported', 'echo'),
  )
  expect(embeddingRequest({ model: 'm', input: 'a' })).toEqual({ model: 'm', texts: ['a'], isBase64: false })
  expect(() => embeddingRequest({ model: 'm', input: [1] })).toThrow(refused('invalid-request', 'input'))
  expect(classifyRequest({ model: 'm', input: ['a', { text: 'b', pair: 'c' }] }).inputs).toEqual([
    { text: 'a' },
    { text: 'b', pair: 'c' },
  ])
})
