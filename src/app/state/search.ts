/** Conversations in which something was said. */

import type { Conversation } from '../history/conversation.ts'
import { nextTask } from '../next-task.ts'

const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

/** Read in one task, so that the page answers in between. */
const AT_ONCE = 16

/** Title and turns of conversations as they are compared; forgotten with them. */
const plainTexts = new WeakMap<Conversation, string[]>()

function plainTextsOf(conversation: Conversation): string[] {
  const known = plainTexts.get(conversation)
  if (known) return known
  const { title, turns } = conversation
  const texts = [title.value, ...Object.values(turns).map(({ content }) => content)].map(plain)
  plainTexts.set(conversation, texts)
  return texts
}

/** Makes ready what {@link search} would otherwise make in one long task. */
export async function readAhead(kept: readonly Conversation[]): Promise<void> {
  const unread = kept.filter((conversation) => !plainTexts.has(conversation))
  for (let at = 0; at < unread.length; at += AT_ONCE) {
    unread.slice(at, at + AT_ONCE).forEach(plainTextsOf)
    await nextTask()
  }
}

/** Those whose title or any turn, on every branch, has all of the words; accents and case aside. */
export function search(kept: readonly Conversation[], query: string): readonly Conversation[] {
  const words = plain(query).split(/\s+/).filter(Boolean)
  if (words.length === 0) return kept
  return kept.filter((conversation) => {
    const texts = plainTextsOf(conversation)
    return words.every((word) => texts.some((text) => text.includes(word)))
  })
}
