/** What is wrong, in the page's language: by the error's code, never by what its message says. */
import type { OwnerErrorData } from '../owner/api.ts'
import { adviceOn, has, t } from './language.ts'

/** Errors of one headline, and so of one way out. */
const alike: Readonly<Record<string, string>> = {
  'server-absent': 'server-unreachable',
  'server-away': 'server-unreachable',
  'dealer-away': 'dealer-unreachable',
  version: 'version-mismatch',
  refused: 'too-many-sessions',
  'unknown-link': 'expired',
  closed: 'expired',
  replayed: 'expired',
  ...{ corrupt: 'protocol', truncated: 'protocol', gap: 'protocol', malformed: 'protocol' },
  ...{ overflow: 'protocol', 'bad-mac': 'protocol', 'pass-mismatch': 'protocol' },
  ...{ unauthorised: 'page-config', 'foreign-page': 'page-config', 'wrong-host': 'page-config' },
  ...{ 'bad-seal': 'page-config', 'split-bundle-missing': 'page-config' },
  'model-too-large': 'unknown-model',
  'whole-model-needed': 'unknown-protection',
  'chat-template': 'wrong-task',
}

/** Errors that this page has put into words itself. */
const ours = new Set(['offline', 'server-away', 'dealer-away', 'part-missing'])

export interface Told {
  headline: string
  /** What happened, as far as that is known in this language, and what to do. */
  sentences: string[]
  /** What the engine says, where that is in another language. */
  english?: string
}

/** An error in words: a headline, and what to do. */
export function told({ code, message, advice }: OwnerErrorData): Told {
  const named = alike[code] ?? code
  const key = `problem.${named}`
  const name = has(key) ? named : 'other'
  const headline = t(has(key) ? key : 'problem.other')
  const known = ours.has(code) ? undefined : adviceOn(name)
  if (known === undefined) return { headline, sentences: [message, advice].filter(Boolean) }
  return { headline, sentences: [known], english: message }
}

/** What has happened, in one line, for where there is room for no more. */
export function inOneLine(error: OwnerErrorData): string {
  const { headline, sentences, english } = told(error)
  return english === undefined ? sentences.join(' ') : `${headline}. ${sentences.join(' ')}`
}
