import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Conversation,
  fromLinear,
  instructed,
  mergeConversations,
  newConversation,
  systemOf,
} from './conversation.ts'
import {
  branchesAt,
  branchOf,
  choose,
  emptyTree,
  isBroken,
  newTurn,
  rewritten,
  type Tree,
  withTurn,
} from './tree.ts'

const said = (tree: Tree) => branchOf(tree).map(({ content }) => content)

describe('a conversation', () => {
  const question = newTurn('user', 'one?', undefined, { at: 1 })
  const reply = newTurn('assistant', 'one.', question.id, { at: 2, finish: 'stop' })
  const next = newTurn('user', 'two?', reply.id, { at: 3 })
  const tree = [question, reply, next].reduce(withTurn, emptyTree)

  test('keeps what was asked before it is asked in other words, and all that followed', () => {
    const edited = withTurn(tree, newTurn('user', 'ONE?', undefined, { at: 4 }))
    expect(said(edited)).toEqual(['ONE?'])
    expect(branchesAt(edited, branchOf(edited)[0]).map(({ content }) => content)).toEqual(['one?', 'ONE?'])
    expect(said(choose(edited, question))).toEqual(['one?', 'one.', 'two?'])
  })

  test('keeps the reply that is answered again', () => {
    const again = withTurn(tree, newTurn('assistant', 'uno.', question.id, { at: 5, finish: 'cancelled' }))
    expect(said(again)).toEqual(['one?', 'uno.'])
    expect(said(choose(again, reply))).toEqual(['one?', 'one.', 'two?'])
    expect(branchOf(again, question.id)).toEqual([question])
    expect(branchOf(again).filter(isBroken)).toHaveLength(1)
  })

  test('shows the latest branch where nobody has chosen', () => {
    const copies = { turns: { a: { ...question, id: 'a' }, b: { ...question, id: 'b', at: 9 } }, chosen: {} }
    expect(branchOf(copies).map(({ id }) => id)).toEqual(['b'])
  })
})

test('instructions to the model are those that were given last, in every tab', () => {
  const plain = newConversation(0)
  const [one, other] = [instructed(plain, 'Be brief.'), instructed(instructed(plain, 'Be'), 'Be kind.')]
  const merged = mergeConversations(one, other)
  expect(merged.system).toEqual(mergeConversations(other, one).system)
  expect(mergeConversations(plain, one).system).toEqual(one.system)
  expect(systemOf(merged)).toEqual({ content: 'Be kind.', id: String(other.system?.at) })
  expect(systemOf(instructed(merged, ''))).toBeUndefined()
})

test('what an earlier release kept becomes the same conversation in every tab', () => {
  const linear = {
    id: 'old',
    title: 'Hotels',
    updated: 7,
    turns: [
      { id: 'q', role: 'user' as const, content: 'A hotel?', at: 1 },
      { id: 'r', role: 'assistant' as const, content: 'Where?', at: 2, finish: 'stop' as const, tokens: 3 },
      { id: 's', role: 'user' as const, content: 'San Jose', at: 3 },
    ],
    traffic: { hops: 12 },
    temporary: false,
  }
  const migrated = fromLinear(linear)
  expect(said(migrated)).toEqual(['A hotel?', 'Where?', 'San Jose'])
  expect(branchOf(migrated)[1]).toMatchObject({ id: 'r', finish: 'stop', tokens: 3, after: 'q' })
  expect(migrated.traffic['']).toMatchObject({ hops: 12, ownerUp: 0 })
  expect(migrated).toMatchObject({ id: 'old', updated: 7, title: { value: 'Hotels' }, era: 0 })
  expect(mergeConversations(migrated, fromLinear(linear))).toBe(migrated)
})

/** Copies of one conversation in several tabs, each of which has gone its own way. */
const names = ['a', 'b', 'c', 'd', 'e']
const change: fc.Arbitrary<(conversation: Conversation) => Conversation> = fc.oneof(
  fc
    .record({
      id: fc.constantFrom(...names),
      at: fc.nat(3),
      content: fc.constantFrom('x', 'y'),
      rev: fc.nat(2),
    })
    .map(({ id, at, content, rev }) => (conversation: Conversation) => {
      const before = names[names.indexOf(id) - 1 - (id.charCodeAt(0) % 2)]
      return withTurn(conversation, { id, role: 'user' as const, content, after: before, at, rev })
    }),
  fc.constantFrom(...names).map((id) => (conversation: Conversation) => {
    const turn = conversation.turns[id]
    if (!turn) return conversation
    const written = rewritten(turn, { content: `${turn.content}.` })
    return { ...conversation, turns: { ...conversation.turns, [id]: written } }
  }),
  fc
    .record({ value: fc.constantFrom('p', 'q'), at: fc.nat(3) })
    .map((title) => (conversation: Conversation) => ({ ...conversation, title, updated: title.at })),
)
const base = { ...newConversation(0), id: 'one', updated: 0 }
const copy = fc
  .array(change, { maxLength: 8 })
  .map((changes) => changes.reduce((conversation, make) => make(conversation), base as Conversation))
  // The clock decides what was chosen last; here it is whatever comes first.
  .map((conversation) => {
    const chosen = Object.entries(conversation.chosen).map(([key, { value }]) => [key, { value, at: 1 }])
    return { ...conversation, chosen: Object.fromEntries(chosen) }
  })

const merge = mergeConversations

test('tabs that merge in any order, however often, come to the same, and no turn is lost', () => {
  fc.assert(
    fc.property(copy, copy, copy, (a, b, c) => {
      expect(merge(a, b)).toEqual(merge(b, a))
      expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)))
      const all = merge(merge(a, b), c)
      for (const one of [a, b, c, all]) expect(merge(all, one)).toBe(all)
      const turns = [a, b, c].flatMap((one) => Object.keys(one.turns))
      expect(new Set(Object.keys(all.turns))).toEqual(new Set(turns))
    }),
    { numRuns: 200 },
  )
})
