/** Hands the kept conversations to the person as a file. */
import type { Conversation } from '../history/conversation.ts'
import { saveFile } from './save.ts'

export function exportFile(conversations: readonly Conversation[]): void {
  const text = JSON.stringify({ format: 'sotto-conversations', version: 2, conversations }, undefined, 2)
  saveFile(`sotto-${new Date().toISOString().slice(0, 10)}.json`, 'application/json', text)
}
