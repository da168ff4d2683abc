/** One conversation as Markdown, as it is on screen. */
import type { Conversation } from '../history/conversation.ts'
import { branchOf } from '../history/tree.ts'

export function toMarkdown(conversation: Conversation): string {
  const turns = branchOf(conversation).map(
    ({ role, content, model, at }) =>
      `## ${role === 'user' ? 'You' : (model ?? 'Model')}, ${new Date(at).toISOString()}\n\n${content}\n`,
  )
  const system = conversation.system?.value
  const instructions = system ? [`> ${system.replaceAll('\n', '\n> ')}\n`] : []
  return [`# ${conversation.title.value}\n`, ...instructions, ...turns].join('\n')
}
