import { expect, test } from 'vitest'
import { type Conversation, newConversation, renamed } from '../history/conversation.ts'
import { newTurn, withTurn } from '../history/tree.ts'
import { readAhead, search } from './search.ts'

const chat = (title: string, ...texts: string[]): Conversation => {
  let made = renamed(newConversation(0), title)
  // Branches beside each other: the last one shows, and all are searched.
  for (const text of texts) made = withTurn(made, newTurn('user', text, undefined))
  return made
}

test('finds words in titles and on every branch, accents and case aside, read ahead or not', async () => {
  const kept = [
    chat('Trip', 'Zürich by train', 'or Bern'),
    chat('Doctor', 'It hurts'),
    chat('BERN', 'a hotel'),
  ]
  const found = (query: string) => search(kept, query).map(({ title }) => title.value)
  expect(found('zurich TRAIN')).toEqual(['Trip'])
  await readAhead(kept)
  expect(found('bern')).toEqual(['Trip', 'BERN'])
  expect(found('hurts hotel')).toEqual([])
  expect(found('  ')).toHaveLength(3)
  // What was said since is found, too.
  kept[1] = withTurn(kept[1], newTurn('user', 'In Genève', undefined))
  expect(found('geneve')).toEqual(['Doctor'])
})
