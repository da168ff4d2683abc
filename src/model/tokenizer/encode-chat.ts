/** The ids of whole conversations, for programs that have them all at once. */
import type { Tokenizer } from '@huggingface/tokenizers'
import type { ChatTokens, Manifest } from '../files/manifest.ts'
import {
  type EncodeChatOptions,
  joinTurns,
  type Message,
  openingOf,
  type TurnFormat,
  turnFormat,
} from './chat.ts'
import { turnMarks } from './template.ts'

/** Turns as the model takes them, its own template run where it has one. Throws `TemplateError`. */
export const formatOf = (tokenizer: Tokenizer, manifest: Pick<Manifest, 'chat' | 'text'>): TurnFormat => {
  const { chat } = manifest
  const marks = chat && 'tokens' in chat ? turnMarks(chat.template, chat.tokens) : undefined
  return turnFormat(tokenizer, manifest, marks)
}

/**
 * A conversation for a model that chats, a text to continue for one that does not. Throws `TemplateError`, and `RangeError`
 * as `joinTurns` does.
 */
export function encodePrompt(
  tokenizer: Tokenizer,
  manifest: Pick<Manifest, 'chat' | 'text'>,
  messages: readonly Message[],
  options: EncodeChatOptions = {},
): number[] {
  const format = formatOf(tokenizer, manifest)
  const turns = messages.map((message, i) => format.encode(message, i === 0))
  return joinTurns(format, turns, { opening: openingOf(format, messages), ...options }).ids
}

/** The ids of a conversation, as the model was trained on it. */
export const encodeChat = (
  tokenizer: Tokenizer,
  chat: ChatTokens,
  messages: readonly Message[],
  options?: EncodeChatOptions,
): number[] => encodePrompt(tokenizer, { chat }, messages, options)

/** The ids of a text that the model continues, for models without a chat template. */
export const encodeText = (
  tokenizer: Tokenizer,
  text: Manifest['text'],
  messages: readonly Message[],
): number[] => encodePrompt(tokenizer, { text }, messages)
