/** Hands the kept conversations to the person as a file. */
import type { Conversation } from './conversations.ts'
import { saveFile } from './save.ts'

export function exportFile(conversations: Conversation[]): void {
  const text = JSON.stringify({ format: 'sotto-conversations', version: 1, conversations }, undefined, 2)
  saveFile(`sotto-${new Date().toISOString().slice(0, 10)}.json`, 'application/json', text)
}
