/** A conversation as this browser keeps it, and how two tabs' copies of it become one. */
import type { SystemPrompt } from '../../owner/chat-options.ts'
import { mergeRecords, mergeRegisters, type Register, setRegister } from './register.ts'
import { furtherTraffic, noTraffic, type PartiesTraffic, sumTraffic } from './traffic.ts'
import { branchOf, emptyTree, mergeTrees, newId, newTurn, type Tree, type Turn } from './tree.ts'

export interface Conversation extends Tree {
  readonly id: string
  readonly title: Register<string>
  readonly pinned: Register<boolean>
  /** Instructions to the model, before the first turn; nothing where nobody has given any. */
  readonly system?: Register<string>
  /** When something was last said in it; ms. */
  readonly updated: number
  /** What the parties received, by the tab that counted. */
  readonly traffic: Readonly<Record<string, PartiesTraffic>>
  /** Which time between two erasures of everything it belongs to; not known where the browser could not read that. */
  readonly era: number | undefined
  /** Kept in memory only. */
  readonly temporary: boolean
}

export const newConversation = (era: number | undefined, temporary = false): Conversation => ({
  ...emptyTree,
  id: newId(),
  title: { value: '', at: 0 },
  pinned: { value: false, at: 0 },
  updated: Date.now(),
  traffic: {},
  era,
  temporary,
})

export const isEmpty = ({ turns }: Conversation): boolean => Object.keys(turns).length === 0

export const trafficIn = ({ traffic }: Conversation): PartiesTraffic => sumTraffic(Object.values(traffic))

/** With what a tab has counted since. */
export const withTraffic = (
  conversation: Conversation,
  tab: string,
  add: (sum: Readonly<PartiesTraffic>) => PartiesTraffic,
): Conversation => ({
  ...conversation,
  traffic: { ...conversation.traffic, [tab]: add(conversation.traffic[tab] ?? noTraffic) },
})

export const renamed = (conversation: Conversation, title: string): Conversation => ({
  ...conversation,
  title: setRegister(conversation.title, title),
})

/** With other instructions to the model, or with none. */
export const instructed = (conversation: Conversation, system: string): Conversation => ({
  ...conversation,
  system: setRegister(conversation.system, system),
})

/** The instructions to the model, as its engine takes them; nothing where there are none. */
export const systemOf = ({ system }: Conversation): SystemPrompt | undefined =>
  system?.value ? { content: system.value, id: String(system.at) } : undefined

/** Everything that either has: commutative, associative and idempotent. The first one itself where the other adds nothing. */
export function mergeConversations(a: Conversation, b: Conversation): Conversation {
  const tree = mergeTrees(a, b)
  const title = mergeRegisters(a.title, b.title)
  const pinned = mergeRegisters(a.pinned, b.pinned)
  const system = a.system && b.system ? mergeRegisters(a.system, b.system) : (a.system ?? b.system)
  const traffic = mergeRecords(a.traffic, b.traffic, furtherTraffic)
  const updated = Math.max(a.updated, b.updated)
  const isSame =
    tree === a &&
    title === a.title &&
    pinned === a.pinned &&
    system === a.system &&
    traffic === a.traffic &&
    updated === a.updated
  return isSame ? a : { ...a, ...tree, title, pinned, traffic, updated, ...(system && { system }) }
}

/** As earlier releases stored it: turns one after another. */
export interface LinearConversation {
  readonly id: string
  readonly title: string
  readonly updated: number
  readonly turns: readonly (Omit<Turn, 'after' | 'rev'> & { readonly id?: string })[]
  readonly traffic?: Partial<PartiesTraffic>
}

/** A conversation of one line as a tree; ids follow from its own, so that what two tabs make of it merges into one. */
export function fromLinear({ id, title, updated, turns, traffic }: LinearConversation): Conversation {
  let tree = emptyTree
  let after: string | undefined
  for (const [i, turn] of turns.entries()) {
    const added = newTurn(turn.role, turn.content, after, { ...turn, id: turn.id ?? `${id}.${i}`, after })
    tree = { ...tree, turns: { ...tree.turns, [added.id]: added } }
    after = added.id
  }
  const counted: Conversation['traffic'] = traffic ? { '': { ...noTraffic, ...traffic } } : {}
  return {
    ...newConversation(0),
    ...tree,
    id,
    title: { value: title, at: 1 },
    updated,
    traffic: counted,
  }
}

/** Whatever release has stored it. */
export const fromStored = (stored: Conversation | LinearConversation): Conversation =>
  Array.isArray(stored.turns) ? fromLinear(stored as LinearConversation) : (stored as Conversation)

/** Keeps, next to the question that is being answered, a few of the words that the server saw instead of it. */
export function withWire(
  conversation: Conversation,
  question: string,
  sample: readonly number[],
): Conversation {
  const turn = conversation.turns[question]
  const wire = sample.slice(0, 12)
  if (!turn || (turn.wire?.length ?? 0) >= wire.length) return conversation
  const turns = { ...conversation.turns, [question]: { ...turn, wire, rev: turn.rev + 1 } }
  return { ...conversation, turns }
}

/** The turn that is shown last. */
export const lastTurn = (conversation: Conversation): Turn | undefined => branchOf(conversation).at(-1)
