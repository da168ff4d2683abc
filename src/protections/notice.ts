/** A protection in words: what it promises and what it does not. Data, which the page and the terminal show. */
import type { Task } from '../handshake/listing.ts'

/** What people are told of a protection before they use it. */
export interface Notice {
  /** Name for people. */
  readonly title: string
  /** In one line, for a list of protections. */
  readonly summary: string
  /** Whether the model's server never sees the texts. Where it is false, say so before anything else. */
  readonly hidesTexts: boolean
  /** What it promises: a paragraph. */
  readonly promise: string
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
