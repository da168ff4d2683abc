/** What stands around the texts of a conversation. */

/** What a template puts around a system prompt, which stands before the first question. */
export interface SystemMarks {
  readonly before: string
  /** Between the system prompt and the first question. */
  readonly after: string
  /** Whether spaces around it go. */
  readonly trims: boolean
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
  /** Whether spaces around texts go. */
  readonly trims: boolean
  /** Where the template takes a system prompt. */
  readonly system?: SystemMarks
}
