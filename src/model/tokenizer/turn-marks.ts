/** What stands around the texts of a conversation, and what becomes of these. */

/** What closes the thoughts that a reply may begin with. */
const CLOSED = '</think>'

const spoken = (text: string): string => text.split(CLOSED).at(-1) ?? ''
const fromFirstLine = (text: string): string => text.replace(/^\n+/, '')

/** What templates leave of a text, the plainest first: all, or what is behind the thoughts. */
const ways = {
  whole: (text: string): string => text,
  trimmed: (text: string): string => text.trim(),
  'trimmed behind': (text: string): string => text.trimEnd(),
  'from its first line': fromFirstLine,
  spoken,
  'spoken, from its first line': (text: string): string => fromFirstLine(spoken(text)),
  'from its first line, where there are thoughts': (text: string): string =>
    text.includes(CLOSED) ? fromFirstLine(spoken(text)) : text,
  'spoken, trimmed': (text: string): string => spoken(text).trim(),
} as const

/** A way of quoting a text. */
export type Quoting = keyof typeof ways

/** All of them. */
export const quotings = Object.keys(ways) as readonly Quoting[]

/** A text as it stands in a conversation. */
export const quoted = (way: Quoting, text: string): string => ways[way](text)

/** What a template puts around a system prompt, which stands before the first question. */
export interface SystemMarks {
  readonly before: string
  /** Between the system prompt and the first question. */
  readonly after: string
  /** What is left of it. */
  readonly prompt: Quoting
}

/** What a template puts around texts. Strings in which special tokens are meant. */
export interface TurnMarks {
  /** Before a conversation's first question: a mark, and a system prompt where the template has one. */
  readonly first: string
  /** Between a reply and the next question. */
  readonly next: string
  /** Between a question and its reply. */
  readonly reply: string
  /** Before a reply that is quoted, behind `reply`: a space in some templates. */
  readonly lead: string
  /** Before one that is asked for, behind `reply`: what opens a model's thoughts, in some. */
  readonly opening: string
  /** What is left of questions, and of replies that are quoted. */
  readonly question: Quoting
  readonly answer: Quoting
  /** Where the template takes a system prompt. */
  readonly system?: SystemMarks
}
