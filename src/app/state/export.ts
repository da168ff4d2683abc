/** Hands the kept conversations to the person as a file. */
import type { Conversation } from './conversations.ts'

export function exportFile(conversations: Conversation[]): void {
  const text = JSON.stringify({ format: 'sotto-conversations', version: 1, conversations }, undefined, 2)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  link.download = `sotto-${new Date().toISOString().slice(0, 10)}.json`
  link.click()
  // The download has its own reference by the next turn of the loop.
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
