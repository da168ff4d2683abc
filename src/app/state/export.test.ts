import '../view-texts.ts'
import { describe, expect, test, vi } from 'vitest'
import { type Conversation, newConversation } from '../history/conversation.ts'
import { branchOf, newTurn, withTurn } from '../history/tree.ts'
import { ImportError, importFile } from './export.ts'
import { library } from './library.ts'

const question = newTurn('user', 'Where is it?', undefined, { id: 'q', at: 1, wire: [7, 8] })
const reply = newTurn('assistant', 'There.', 'q', { id: 'r', at: 2, finish: 'stop', tokens: 3, seconds: 0.5 })
const conversation: Conversation = [question, reply].reduce(withTurn, {
  ...newConversation(0),
  system: { value: 'Be brief.', at: 3 },
  traffic: { tab: { hops: 1 } } as unknown as Conversation['traffic'],
})
const file = (conversations: unknown, format = 'sotto-conversations') =>
  JSON.stringify({ format, version: 2, conversations })

describe('a file of conversations', () => {
  test('comes back as it was, but for the era and what another browser counted', () => {
    const [taken] = importFile(file([conversation]), 4)
    // JSON has no fields without a value.
    expect(taken).toEqual({ ...JSON.parse(JSON.stringify(conversation)), traffic: {}, era: 4 })
    expect(branchOf(taken).map(({ content }) => content)).toEqual(['Where is it?', 'There.'])
  })

  test('of an earlier release becomes a tree', () => {
    const turns = [
      { id: 'q', role: 'user', content: 'Where is it?', at: 1 },
      { id: 'r', role: 'assistant', content: 'There.', at: 2 },
    ]
    const [taken] = importFile(file([{ id: 'old', title: 'Where', updated: 2, turns }]), 4)
    expect(branchOf(taken).map(({ id }) => id)).toEqual(['q', 'r'])
    expect(taken.era).toBe(4)
  })

  const turn = (changes: object) => ({ ...conversation, turns: { q: { ...question, ...changes } } })
  test.each<[string, unknown]>([
    ['a time that no date has', turn({ at: 1e300 })],
    ['a latest time that no date has', { ...conversation, updated: 1e300 }],
    ['a title that nobody can change again', { ...conversation, title: { value: 'mine', at: 1e300 } }],
    ['masked words that are none', turn({ wire: 'abc' })],
    ['a count that is none', turn({ tokens: '<b>' })],
    ['an end that is none', turn({ finish: 'never' })],
    ['a turn under another name', { ...conversation, turns: { x: question } }],
    [
      'a turn that follows itself by an empty name',
      { ...conversation, turns: { '': { ...question, id: '' } } },
    ],
    [
      'a name that is no field of its own',
      JSON.parse(JSON.stringify(conversation).replaceAll('"q"', '"__proto__"')),
    ],
    ['instructions that are none', { ...conversation, system: 'Be brief.' }],
    ['a role that is none', turn({ role: 'system' })],
  ])('is refused with %s', (_, value) => {
    expect(() => importFile(file([conversation, value]), 0)).toThrow('Conversation 2')
  })

  test.each(['{', '[]', file([], 'other'), file({})])('is not %s', (text) => {
    expect(() => importFile(text, 0)).toThrow(ImportError)
  })
})

test('a conversation that was deleted comes back from a file, under another name', async () => {
  vi.stubGlobal('BroadcastChannel', undefined)
  await library.takeIn(importFile(file([conversation]), 0))
  await library.remove(conversation)
  expect(library.state.kept).toEqual([])
  await library.takeIn(importFile(file([conversation]), 0))
  const [again] = library.state.kept
  expect(branchOf(again).map(({ content }) => content)).toEqual(['Where is it?', 'There.'])
  expect(again.id).not.toBe(conversation.id)
})
