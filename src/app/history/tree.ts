/**
 * A conversation's turns as a tree: what is asked or answered once more is a branch beside the one before it, and nothing is
 * ever replaced. Two trees of one conversation merge turn by turn, in whatever order and however often.
 */
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Message } from '../../owner/api.ts'
import type { ChatResult } from '../../owner/chat-options.ts'
import { mergeRecords, mergeRegisters, type Register, setRegister } from './register.ts'

export interface Turn extends Message {
  readonly id: string
  /** The turn that it follows; a first one follows none. */
  readonly after?: string
  /** When it was written, or finished; ms. */
  readonly at: number
  /** How often it has been written anew: of two writings the later one holds. */
  readonly rev: number
  /** Why a reply ended; `unfinished`: it is being written, or whoever wrote it has gone. */
  readonly finish?: ChatResult['finish'] | 'unfinished'
  /** For a user's turn: masked words that the server saw while it was answered. */
  readonly wire?: readonly number[]
  /** For a reply: tokens, passes that only hid how many, and the seconds they took. */
  readonly tokens?: number
  readonly padded?: number
  readonly seconds?: number
  /** For a reply whose words are not hidden: what its host would read of it, with dots for the rest. */
  readonly exposed?: string
  /** For a reply: whose it is, for people. */
  readonly model?: string
}

export interface Tree {
  readonly turns: Readonly<Record<string, Turn>>
  /** By the turn before it (`''` at the beginning): which of those that follow shows. */
  readonly chosen: Readonly<Record<string, Register<string>>>
}

export const emptyTree: Tree = { turns: {}, chosen: {} }

/** `crypto.randomUUID` is missing where a page isn't served securely, and such a page must still explain itself. */
export const newId = (): string => bytesToHex(crypto.getRandomValues(new Uint8Array(12)))

export const newTurn = (
  role: Turn['role'],
  content: string,
  after: string | undefined,
  more: Partial<Turn> = {},
): Turn => ({ id: newId(), role, content, after, at: Date.now(), rev: 0, ...more })

/** Whether a reply could be gone on with. */
export const isBroken = ({ role, finish }: Turn): boolean =>
  role === 'assistant' && (finish === 'unfinished' || finish === 'cancelled' || finish === 'length')

const branchings = new WeakMap<Tree['turns'], Map<string, Turn[]>>()

/** The turns that follow each turn, oldest first. */
function branchingOf(turns: Tree['turns']): Map<string, Turn[]> {
  const known = branchings.get(turns)
  if (known) return known
  const map = new Map<string, Turn[]>()
  for (const turn of Object.values(turns)) {
    const before = turn.after ?? ''
    const beside = map.get(before)
    if (beside) beside.push(turn)
    else map.set(before, [turn])
  }
  for (const beside of map.values()) beside.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  branchings.set(turns, map)
  return map
}

/** A turn and its branches: all that follow the same turn, oldest first. */
export const branchesAt = ({ turns }: Tree, { after }: Turn): readonly Turn[] =>
  branchingOf(turns).get(after ?? '') ?? []

/**
 * What is on screen: from the beginning, at each turn the chosen branch or else the latest. With `until`, up to that turn
 * (`''`: none at all).
 */
export function branchOf({ turns, chosen }: Tree, until?: string): Turn[] {
  const branching = branchingOf(turns)
  const branch: Turn[] = []
  for (let at = ''; at !== until; ) {
    const beside = branching.get(at)
    if (!beside) break
    const wanted = chosen[at]?.value
    const turn = beside.find(({ id }) => id === wanted) ?? beside[beside.length - 1]
    branch.push(turn)
    at = turn.id
  }
  return branch
}

/** With one of its branches on screen. */
export function choose<T extends Tree>(tree: T, { id, after = '' }: Turn): T {
  if (tree.chosen[after]?.value === id) return tree
  return { ...tree, chosen: { ...tree.chosen, [after]: setRegister(tree.chosen[after], id) } }
}

/** With a turn added, or written anew, and on screen. */
export const withTurn = <T extends Tree>(tree: T, turn: Turn): T =>
  choose({ ...tree, turns: { ...tree.turns, [turn.id]: turn } }, turn)

/** Written once more. */
export const rewritten = (turn: Turn, changes: Partial<Omit<Turn, 'id' | 'after' | 'rev'>>): Turn => ({
  ...turn,
  ...changes,
  rev: turn.rev + 1,
})

/** A field that says nothing is as good as none: encryption leaves those out. */
const sorted = (turn: Turn): string => {
  const fields = Object.entries(turn).filter(([, value]) => value !== undefined)
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The later writing; of two different ones at once, whichever: but everywhere the same. */
function mergeTurns(a: Turn, b: Turn): Turn {
  if (a.rev !== b.rev) return a.rev > b.rev ? a : b
  return a === b || sorted(a) >= sorted(b) ? a : b
}

/** Everything that either has: commutative, associative and idempotent. The first one itself where the other adds nothing. */
export function mergeTrees(a: Tree, b: Tree): Tree {
  const turns = mergeRecords(a.turns, b.turns, mergeTurns)
  const chosen = mergeRecords(a.chosen, b.chosen, mergeRegisters)
  return turns === a.turns && chosen === a.chosen ? a : { turns, chosen }
}
