/** A protection in words: what it promises and what it does not. Data, which the page and the terminal show. */
import type { Task } from '../handshake/task.ts'

/** What people are told of a protection before they use it. */
export interface Notice {
  /** Name for people. */
  readonly title: string
  /** In one line, for a list of protections. */
  readonly summary: string
  /** Whether the model's server never sees the texts. Where it is false, say so before anything else. */
  readonly hidesTexts: boolean
  /** What becomes of a text, above the field that it is typed in, by what the model is used for. */
  readonly lead: Readonly<Record<Task, string>>
  /** On what that rests: who must not work together, as `{server}` and `{dealer}`; two sentences. */
  readonly apart?: string
  /** What it promises: a paragraph. */
  readonly promise: string
  /** What each party that takes part holds, does and sees. */
  readonly parties: { readonly owner: string; readonly server?: string; readonly dealer?: string }
  /** What the dealer's bytes to the server are, in a word, where there is one. */
  readonly dealt?: string
  /** What holds of texts, and of another attempt, when something went wrong. */
  readonly afterFailure: string
  /** What the other parties learn by watching, by what the model is used for. */
  readonly visible: Readonly<Record<Task, readonly string[]>>
  /** What the promise rests on, and what it leaves open. */
  readonly limits: readonly string[]
  /** What parties learn that pool what they know. */
  readonly pooled: readonly Pooled[]
}

/** Parties that put together what they hold, and what they then know. */
export interface Pooled {
  readonly parties: string
  /** Whether that is more than each of them was to know. */
  readonly isBreach: boolean
  /** What they do: the point, and what goes with it. */
  readonly learn: string
  readonly detail: string
}
