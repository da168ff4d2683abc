/** Replies of a private model: what chat completions and plain ones have in common. */
import type { OwnerEvent } from '../owner/api.ts'
import type { ChatResult } from '../owner/chat-options.ts'
import type { ReplyRequest } from './request.ts'
import type { Session } from './session.ts'
import type { FinishReason, RequestOptions } from './types.ts'
import { type Usage, usageOf } from './usage.ts'

/** A reply as it ended. */
export interface Replied {
  readonly text: string
  readonly finish: FinishReason
  readonly isCut: boolean
  readonly usage: Usage
}

/** What is told of a request while it is worked on. */
export interface Heard {
  /** It was accepted, and its texts are being read. */
  begun?(): void
  said?(text: string): void
}

const finishes: Record<ChatResult['finish'], FinishReason> = {
  stop: 'stop',
  length: 'length',
  context: 'length',
  cancelled: 'stop',
}

/** How long a reply may be where nobody says: longer than any model's context. */
const UNBOUNDED = 1 << 20

/**
 * A reply in the model's session. Rejects with `OwnerError`, or with the reason of `signal` where that was aborted.
 * @param padding whether lengths are hidden; the protection's own choice if not given
 */
export async function makeReply(
  session: Session,
  { messages, options }: ReplyRequest,
  { signal, onProgress }: RequestOptions,
  heard: Heard,
  padding?: 'none' | 'blocks',
): Promise<Replied> {
  let said = 0
  const say = (text: string): void => {
    said += text.length
    if (text !== '') heard.said?.(text)
  }
  const onEvent = (event: OwnerEvent): void => {
    if (event.type === 'token') say(event.text)
    else if (event.type === 'progress') {
      if (event.phase === 'prefill') heard.begun?.()
      onProgress?.(event)
    }
  }
  const { result, cost } = await session.use(
    async (owner) => {
      const named = session.turns.name(messages)
      const { conversation, reply } = named
      const maxTokens = options.maxTokens ?? UNBOUNDED
      const done = await owner.chat(named.messages, { ...options, maxTokens, conversation, reply, padding })
      session.turns.replied(named, done.text)
      return done
    },
    signal,
    onEvent,
  )
  signal?.throwIfAborted()
  // What was held back because it might have begun a stop.
  say(result.text.slice(said))
  const { text, finish, isCut, promptTokens, ids } = result
  return { text, finish: finishes[finish], isCut, usage: usageOf(promptTokens, ids.length, cost) }
}

/** An identifier that says nothing, and a time in seconds. */
export const stamp = (kind: string): { id: string; created: number } => ({
  id: `${kind}-${crypto.randomUUID()}`,
  created: Math.floor(Date.now() / 1000),
})
