/** What the conversation on screen is made of, and what whoever writes a reply may do with it. */
import type { OwnerError } from '../../owner/api.ts'
import type { Announcer } from '../announce.ts'
import type { Conversation } from '../history/conversation.ts'
import type { Turn } from '../history/tree.ts'

export interface ChatState {
  conversation: Conversation
  /** The reply being written, if one is. */
  reply?: Turn
  stopping: boolean
  /** Why the reply has not moved for a while. */
  stalled?: string
  /** Why a question has no answer, by conversation. */
  errors: Readonly<Record<string, OwnerError>>
  /** What happened to a conversation that is gone from the screen. */
  notice?: string
}

export interface Conversing {
  readonly state: Readonly<ChatState>
  readonly announcer: Announcer
  set(patch: Partial<ChatState>): void
  change(change: (conversation: Conversation) => Conversation): void
  keep(): Promise<void>
}
