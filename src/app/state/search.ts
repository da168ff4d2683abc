/** Conversations in which something was said. */
import type { Conversation } from '../history/conversation.ts'

const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

/** Those whose title or any turn, on every branch, has all of the words; accents and case aside. */
export function search(kept: readonly Conversation[], query: string): readonly Conversation[] {
  const words = plain(query).split(/\s+/).filter(Boolean)
  if (words.length === 0) return kept
  return kept.filter(({ title, turns }) => {
    const texts = [title.value, ...Object.values(turns).map(({ content }) => content)].map(plain)
    return words.every((word) => texts.some((text) => text.includes(word)))
  })
}
