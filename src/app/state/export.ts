/** Kept conversations as a file, and back. */

import { type Conversation, fromLinear, type LinearConversation } from '../history/conversation.ts'
import { t } from '../language.ts'
import { nextTask } from '../next-task.ts'
import { toMarkdown } from './markdown-file.ts'
import { saveFile } from './save.ts'

const AT_ONCE = 16
const FORMAT = 'sotto-conversations'

/** Written some at a time, so that the page answers in between. */
export async function exportFile(conversations: readonly Conversation[]): Promise<void> {
  const parts = [`{ "format": "${FORMAT}", "version": 2, "conversations": [`]
  for (const [at, conversation] of conversations.entries()) {
    parts.push(at > 0 ? ',\n' : '\n', JSON.stringify(conversation, undefined, 2))
    if (at % AT_ONCE === AT_ONCE - 1) await nextTask()
  }
  parts.push('\n] }\n')
  saveFile(`sotto-${new Date().toISOString().slice(0, 10)}.json`, 'application/json', ...parts)
}

export function exportMarkdown(conversation: Conversation): void {
  const name = conversation.title.value.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60)
  saveFile(`${name || 'chat'}.md`, 'text/markdown;charset=utf-8', toMarkdown(conversation))
}

/** A file is not one of ours; the message says why. */
export class ImportError extends Error {
  override readonly name = 'ImportError'
}

type Unknown = Record<string, unknown>
const isObject = (value: unknown): value is Unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** What a `Date` can be of: others throw where they are shown, and nothing is later than they are. */
const isTime = (value: unknown): boolean => Number.isInteger(value) && Math.abs(value as number) <= 8.64e15
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isRegister = (value: unknown, type: string): boolean =>
  isObject(value) && typeof value.value === type && isTime(value.at)
const isName = (value: unknown): boolean =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) && value !== '__proto__'

/** What a turn may have besides; whatever else stands in a file is left there. */
const optional: Record<string, (value: unknown) => boolean> = {
  after: isName,
  rev: isCount,
  finish: (value) => ['stop', 'length', 'cancelled', 'context', 'unfinished'].includes(value as string),
  wire: (value) => Array.isArray(value) && value.every(Number.isFinite),
  tokens: Number.isFinite,
  padded: Number.isFinite,
  seconds: Number.isFinite,
  exposed: (value) => typeof value === 'string',
  model: (value) => typeof value === 'string',
}

const isTurn = (value: unknown): boolean =>
  isObject(value) &&
  isName(value.id) &&
  (value.role === 'user' || value.role === 'assistant') &&
  typeof value.content === 'string' &&
  isTime(value.at) &&
  Object.entries(optional).every(([name, isRight]) => value[name] === undefined || isRight(value[name]))

const isLinear = (value: Unknown): boolean =>
  isName(value.id) &&
  typeof value.title === 'string' &&
  isTime(value.updated) &&
  Array.isArray(value.turns) &&
  value.turns.every(isTurn)

const isTree = (value: Unknown): boolean =>
  isName(value.id) &&
  isRegister(value.title, 'string') &&
  isRegister(value.pinned, 'boolean') &&
  (value.system === undefined || isRegister(value.system, 'string')) &&
  isTime(value.updated) &&
  isObject(value.turns) &&
  Object.entries(value.turns).every(
    ([id, turn]) => isTurn(turn) && (turn as Unknown).id === id && (turn as Unknown).rev !== undefined,
  ) &&
  isObject(value.chosen) &&
  Object.values(value.chosen).every((register) => isRegister(register, 'string'))

/**
 * What a file that was exported here, by this release or an earlier one, has in it; traffic, which was another browser's,
 * aside. Throws {@link ImportError}.
 * @param era that the conversations are to belong to
 */
export function importFile(text: string, era: number | undefined): Conversation[] {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new ImportError(t('kept.noJson'))
  }
  if (!isObject(file) || file.format !== FORMAT || !Array.isArray(file.conversations))
    throw new ImportError(t('kept.notOurs'))
  return file.conversations.map((value: unknown, at) => {
    if (isObject(value) && isLinear(value))
      return { ...fromLinear(value as unknown as LinearConversation), traffic: {}, era }
    if (isObject(value) && isTree(value))
      return { ...(value as unknown as Conversation), traffic: {}, era, temporary: false }
    throw new ImportError(t('kept.damaged', { at: at + 1 }))
  })
}
