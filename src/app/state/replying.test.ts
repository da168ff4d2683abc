import { beforeEach, expect, test, vi } from 'vitest'
import type { Message, OnEvent } from '../../owner/api.ts'
import type { ChatOptions, ChatResult } from '../../owner/chat-options.ts'
import { Announcer } from '../announce.ts'
import { type Conversation, mergeConversations, newConversation } from '../history/conversation.ts'
import { branchOf, newTurn, rewritten, withTurn } from '../history/tree.ts'
import type { ChatState, Conversing } from './chat-state.ts'
import { Replying } from './replying.ts'

/** Stands in for the page's side of the engine; the tests decide what comes. */
const engine = vi.hoisted(() => ({
  state: { phase: 'open', stats: undefined, model: undefined },
  ready: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  prepare: () => undefined,
  subscribe: () => () => undefined,
  chat: vi.fn<(messages: Message[], options: ChatOptions, onEvent: OnEvent) => Promise<ChatResult>>(),
}))
vi.mock('./engine.ts', () => ({ engine }))

const question = newTurn('user', 'Where?', undefined, { id: 'q', at: 1 })
const broken = newTurn('assistant', 'It is', 'q', { id: 'r', at: 2, finish: 'length' })
const conversation = [question, broken].reduce(withTurn, newConversation(0))

/** A chat in which the broken reply is gone on with; `stored` is what other tabs have kept meanwhile. */
function goingOn(stored: Conversation = conversation): Conversing {
  let state: ChatState = {
    conversation,
    reply: rewritten(broken, { finish: 'unfinished' }),
    stopping: false,
    errors: {},
  }
  return {
    get state() {
      return state
    },
    announcer: new Announcer(),
    set: (patch) => {
      state = { ...state, ...patch }
    },
    change: (change) => {
      state = { ...state, conversation: change(state.conversation) }
    },
    keep: async () => {
      if (state.conversation.id === stored.id)
        state = { ...state, conversation: mergeConversations(state.conversation, stored) }
    },
  }
}

const said = ({ state }: Conversing): string[] => branchOf(state.conversation).map(({ content }) => content)
const result = { text: ' here.', ids: [1], finish: 'stop', padded: 0 } as unknown as ChatResult

beforeEach(() => {
  engine.chat.mockReset().mockResolvedValue(result)
})

test('a reply that was broken off is gone on with', async () => {
  const chat = goingOn()
  await new Replying(chat).run()
  expect(said(chat)).toEqual(['Where?', 'It is here.'])
})

test('one that another tab has gone on with meanwhile is not written a second time', async () => {
  const theirs = rewritten(broken, { content: 'It is there.', finish: 'stop' })
  const chat = goingOn(withTurn(conversation, theirs))
  await new Replying(chat).run()
  expect(engine.chat).not.toHaveBeenCalled()
  expect(said(chat)).toEqual(['Where?', 'It is there.'])
  expect(chat.state.reply).toBeUndefined()
})

test('where a lock has put another conversation on screen, no reply gets into it', async () => {
  const chat = goingOn()
  const other = newConversation(0)
  engine.chat.mockImplementation(async () => {
    chat.set({ conversation: other })
    return result
  })
  await new Replying(chat).run()
  expect(chat.state.conversation.turns).toEqual({})
})
