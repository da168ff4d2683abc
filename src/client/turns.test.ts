import { expect, test } from 'vitest'
import type { Message } from '../owner/api.ts'
import { Turns } from './turns.ts'

const ask = (content: string): Message => ({ role: 'user', content })
const answer = (content: string): Message => ({ role: 'assistant', content })

test('a conversation that goes on keeps its names, and any other one has new ones', () => {
  const turns = new Turns()
  const first = turns.name([ask('a')])
  turns.replied(first, 'b')
  const goesOn = turns.name([ask('a'), answer('b'), ask('c')])
  expect(goesOn.conversation).toBe(first.conversation)
  expect(goesOn.messages.slice(0, 2).map(({ id }) => id)).toEqual([first.messages[0].id, first.reply])
  expect(new Set([...goesOn.messages.map(({ id }) => id), goesOn.reply]).size).toBe(4)
  turns.replied(goesOn, 'd')
  // A beginning that is known, the whole again, an earlier reply that was altered: each is read from its beginning.
  for (const other of [
    [ask('a'), answer('b'), ask('other')],
    [ask('a'), answer('b'), ask('c')],
    [ask('a'), answer('B'), ask('c'), answer('d'), ask('e')],
    [ask('a')],
  ])
    expect(turns.name(other).conversation).not.toBe(first.conversation)
})

test('after a session has ended nothing is known', () => {
  const turns = new Turns()
  const first = turns.name([ask('a')])
  turns.replied(first, 'b')
  turns.forget()
  expect(turns.name([ask('a'), answer('b'), ask('c')]).conversation).not.toBe(first.conversation)
})
