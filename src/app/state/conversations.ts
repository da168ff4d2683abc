/** Conversations as this browser keeps them, in IndexedDB and nowhere else. */
import { bytesToHex } from '@noble/hashes/utils.js'
import type { ChatResult, Message, Stats } from '../../owner/api.ts'
import { clearCaches, Database, local, openChannel, session } from './storage.ts'

export interface Turn extends Message {
  id: string
  /** When it was written, or finished. */
  at: number
  finish?: ChatResult['finish']
  /** For a user's turn: masked words that the server saw while it was answered. */
  wire?: number[]
  /** For a reply: tokens, passes that only hid how many, and the seconds they took. */
  tokens?: number
  padded?: number
  seconds?: number
}

/** What the parties received while a conversation was open. */
export interface PartiesTraffic {
  hops: number
  ownerUp: number
  ownerDown: number
  dealerUp: number
  dealerDown: number
  dealerToServer: number
  serverMessages: number
  dealerMessages: number
  tokens: number
}

export interface Conversation {
  id: string
  title: string
  updated: number
  turns: Turn[]
  traffic: PartiesTraffic
  /** Kept in memory only. */
  temporary: boolean
}

export const noTraffic: PartiesTraffic = {
  hops: 0,
  ownerUp: 0,
  ownerDown: 0,
  dealerUp: 0,
  dealerDown: 0,
  dealerToServer: 0,
  serverMessages: 0,
  dealerMessages: 0,
  tokens: 0,
}

const traffic = (stats: Stats): PartiesTraffic => ({
  hops: stats.hops,
  ownerUp: stats.ownerUpBytes,
  ownerDown: stats.ownerDownBytes,
  dealerUp: stats.dealerUpBytes,
  dealerDown: stats.dealerDownBytes,
  dealerToServer: stats.dealerToServerBytes,
  serverMessages: stats.server?.messages ?? 0,
  dealerMessages: stats.dealer?.messages ?? 0,
  tokens: stats.tokens,
})

/** Adds what happened between two readings of a session's totals. */
export function addTraffic(sum: PartiesTraffic, before: Stats | undefined, after: Stats): PartiesTraffic {
  const from = before ? traffic(before) : noTraffic
  const to = traffic(after)
  const result = { ...sum }
  // A new session counts from zero again, so a total below the last one is a fresh start.
  for (const name of Object.keys(to) as (keyof PartiesTraffic)[])
    result[name] += to[name] >= from[name] ? to[name] - from[name] : to[name]
  return result
}

/** `crypto.randomUUID` is missing where a page isn't served securely, and such a page must still explain itself. */
export const newId = (): string => bytesToHex(crypto.getRandomValues(new Uint8Array(12)))

export const newConversation = (temporary = false): Conversation => ({
  id: newId(),
  title: '',
  updated: Date.now(),
  turns: [],
  traffic: { ...noTraffic },
  temporary,
})

export const newTurn = (role: Turn['role'], content: string, more: Partial<Turn> = {}): Turn => ({
  id: newId(),
  role,
  content,
  at: Date.now(),
  ...more,
})

/** Keeps, next to the last question, a few of the words that the server saw instead of it; the same array if there is nothing new. */
export function withWire(turns: Turn[], sample: number[]): Turn[] {
  const wire = sample.slice(0, 12)
  const last = turns.at(-1)
  if (last?.role !== 'user' || (last.wire?.length ?? 0) >= wire.length) return turns
  return [...turns.slice(0, -1), { ...last, wire }]
}

const kept = new Database<Conversation>('conversations')
const channel = openChannel('sotto.conversations')

/** Calls back when another tab has changed the list. */
export const onOtherTab = (listener: () => void): void => channel.addEventListener('message', listener)

/** Which conversation this tab shows; survives a reload. */
export const openHere = {
  get: (): string | null => session.get('sotto.open'),
  set: (id: string): void => session.set('sotto.open', id),
}

/** All kept conversations, latest first. */
export async function list(): Promise<Conversation[]> {
  const all = await kept.values()
  return all.sort((a, b) => b.updated - a.updated)
}

export async function save(conversation: Conversation): Promise<void> {
  if (conversation.temporary || conversation.turns.length === 0) return
  await kept.set(conversation.id, conversation)
  channel.postMessage('changed')
}

export async function remove(id: string): Promise<void> {
  await kept.delete(id)
  channel.postMessage('changed')
}

/** Removes everything this page has kept: conversations, settings and downloaded tensors. */
export async function wipe(): Promise<void> {
  await kept.clear()
  local.clear()
  await clearCaches()
  channel.postMessage('changed')
}
