/** One conversation as Markdown, as it is on screen. */
import type { Conversation } from '../history/conversation.ts'
import { branchOf } from '../history/tree.ts'

export function toMarkdown(conversation: Conversation): string {
  const turns = branchOf(conversation).map(
    ({ role, content, model, at }) =>
      `## ${role === 'user' ? 'You' : (model ?? 'Model')}, ${new Date(at).toISOString()}\n\n${content}\n`,
  )
  return [`# ${conversation.title.value}\n`, ...turns].join('\n')
}
