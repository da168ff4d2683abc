/** What a reply is asked for with, and what comes of it. Plain data, as all of `api.ts`. */

/** Whether the length of prompts and replies is hidden, within blocks. */
export type Padding = 'none' | 'blocks'

/** What stands before a conversation's first message, where the model's template has a place for it; in clear, as those. */
export interface SystemPrompt {
  content: string
  /** Another one whenever it was written anew, even to the same text, as of messages. Without one all is read every time. */
  id?: string
}

/** What a message is measured beside. */
export type MeasureOptions = Pick<ChatOptions, 'maxTokens' | 'system'>

/**
 * How the next tokens are chosen: `temperature` 0 takes the likeliest, `topP` bounds the probability to choose
 * from.
 */
export interface ChatOptions {
  temperature: number
  topP: number
  /** Touches sampling only, never a mask. */
  seed?: number
  maxTokens: number
  /** Texts, none of them empty, that end the reply when it comes to one; they are left out of it. */
  stop?: string[]
  /** Left out, which a `notice` says, where the model's template takes none. */
  system?: SystemPrompt
  /** Names the conversation. One without a name is read from its beginning, and so is any after another one. */
  conversation?: string
  /** The id that the reply will have among later messages. */
  reply?: string
  /**
   * `blocks` (never where the protection hides no texts) hides how long prompt and reply are: the last 1 to 8 tokens of a
   * prompt are read one by one, as a reply is written, and both together take a multiple of 16 such passes. `none` is
   * faster.
   */
  padding?: Padding
}

/** A reply, or as much of it as there was when it ended. */
export interface ChatResult {
  text: string
  ids: number[]
  /** Tokens of the conversation as the model read it, with those that were cached. */
  promptTokens: number
  /** `context`: the conversation has filled the model's memory. */
  finish: 'stop' | 'length' | 'cancelled' | 'context'
  /** Passes behind the reply's end, which only hid its length. */
  padded: number
  /**
   * The reply as a host with text of the same kind would read it, with dots for the rest: of protections that hide no texts,
   * where it has been measured.
   */
  exposed?: string
  /** The oldest turns, or the beginning of the text, did not fit beside the reply and were left out. */
  isCut: boolean
}
