import { expect, test } from 'vitest'
import type { TurnFormat } from '../model/tokenizer/chat.ts'
import { ProtectionError } from '../protections/protection.ts'
import { CachedTurns } from './cached-turns.ts'

/** One token a letter, with marks around. */
const letters = (text: string) => [...text].map((letter) => letter.charCodeAt(0))
const format: TurnFormat = {
  start: [0],
  reply: [1],
  hasTurns: true,
  encode: ({ content }) => [2, ...letters(content), 3],
  begin: ({ content }) => [1, ...letters(content)],
  close: (rest) => [...rest, 3],
  opens: () => true,
  wrap: (reply) => [1, ...reply, 3],
}

test('a conversation that has become too long is cut so far that most messages after that read only themselves', () => {
  const cached = new CachedTurns()
  const messages: { id: string; role: 'user' | 'assistant'; content: string }[] = []
  let rereads = 0
  let isCut = false
  for (let at = 0; at < 30; at++) {
    messages.push({ id: `q${at}`, role: 'user', content: 'question' })
    const prompt = cached.prompt(format, messages, { conversation: 'c', maxTokens: 128, padding: 'none' })
    expect(prompt.ids.length).toBeLessThanOrEqual(128)
    if (at > 0 && prompt.base === 0) rereads++
    isCut ||= prompt.isCut
    const ids = letters('answer')
    cached.replied(format, {
      id: `r${at}`,
      content: 'answer',
      ids,
      resume: prompt.ids.length + ids.length - 1,
    })
    messages.push({ id: `r${at}`, role: 'assistant', content: 'answer' })
  }
  expect(isCut).toBe(true)
  // 18 tokens a message: 64 of 128 go at once, so a cut lasts for three messages or more.
  expect(rereads).toBeLessThanOrEqual(8)
})

test('a system prompt stays when a conversation is cut, and is read again when it is written anew', () => {
  const withSystem = (prompt: string): TurnFormat => ({
    ...format,
    encode: (message, isFirst) => [
      ...(isFirst ? [4, ...letters(prompt)] : []),
      ...format.encode(message, isFirst),
    ],
  })
  const taking = { ...format, withSystem }
  const cached = new CachedTurns()
  const options = { conversation: 'c', maxTokens: 48, padding: 'none' as const }
  const messages: { id: string; role: 'user' | 'assistant'; content: string }[] = []
  const ask = (at: number, system: { content: string; id?: string }) => {
    messages.push({ id: `q${at}`, role: 'user', content: 'question' })
    const prompt = cached.prompt(taking, messages, { ...options, system })
    const reply = { id: `r${at}`, content: 'ok', ids: letters('ok'), resume: prompt.ids.length + 1 }
    cached.replied(taking, reply)
    messages.push({ id: `r${at}`, role: 'assistant', content: 'ok' })
    return prompt
  }
  const system = { content: 'brief', id: '1' }
  const opening = [0, 4, ...letters('brief')]
  const bases = Array.from({ length: 6 }, (_, at) => {
    const { ids, base, isCut } = ask(at, system)
    expect(ids.slice(0, opening.length)).toEqual(opening)
    return { base, isCut }
  })
  expect(bases.some(({ isCut }) => isCut)).toBe(true)
  expect(bases.filter(({ base }) => base > 0).length).toBeGreaterThan(2)
  // Written anew, if to the same text; and one that nobody has named, whether it is the same or not.
  expect(ask(6, { ...system, id: '2' }).base).toBe(0)
  expect(ask(7, { content: 'brief' }).base).toBe(0)
  expect(ask(8, { content: 'brief' }).base).toBe(0)
})

test('a broken reply is the last to stay open, and never the first that is kept', () => {
  const cached = new CachedTurns()
  const question = { id: 'q', role: 'user' as const, content: 'ab' }
  const broken = { id: 'r', role: 'assistant' as const, content: 'cd' }
  const options = { conversation: 'c', maxTokens: 64, padding: 'none' as const }
  const prompt = cached.prompt(format, [question, broken], options)
  expect(prompt.ids).toEqual([0, 2, ...letters('ab'), 3, 1, ...letters('cd')])
  cached.replied(format, { id: 'r', content: 'cdef', ids: letters('ef'), resume: prompt.ids.length + 1 })
  const whole = [question, { ...broken, content: 'cdef' }, { id: 'n', role: 'user' as const, content: 'g' }]
  const next = cached.prompt(format, whole, options)
  expect(next.ids).toEqual([0, 2, ...letters('ab'), 3, 1, ...letters('cdef'), 3, 2, ...letters('g'), 3, 1])
  expect(next.base).toBe(prompt.ids.length + 1)
  expect(() => cached.prompt(format, [question, broken], { ...options, maxTokens: 6 })).toThrow(/Shorten/)
})

test('what is read behind noise is noise, wherever prompts begin, until something before it is asked again', () => {
  const cached = new CachedTurns()
  const question = { id: 'q', role: 'user' as const, content: 'abcd' }
  const options = { conversation: 'c', maxTokens: 64, padding: 'none' as const }
  const first = cached.prompt(format, [question], options)
  cached.noise = { from: 2, error: new ProtectionError('out-of-range', 'noise', '') }
  cached.replied(format, { id: 'r', content: 'e', ids: letters('e'), resume: first.ids.length + 1 })
  const answer = { id: 'r', role: 'assistant' as const, content: 'e' }
  const next = { id: 'n', role: 'user' as const, content: 'f' }
  expect(cached.prompt(format, [question, answer, next], options).base).toBeGreaterThan(2)
  expect(cached.noise).toBeDefined()
  expect(cached.prompt(format, [{ ...question, id: 'other' }], options).base).toBe(0)
  expect(cached.noise).toBeUndefined()
})
