/** What a reply looks like to a host that reads some of its tokens. */
import type { Tokenizer } from '@huggingface/tokenizers'
import { StreamDecoder } from '../model/tokenizer/chat.ts'

/** The text of `ids`, in which dots stand for the letters of those that are not `isRead`. */
export function exposedText(
  tokenizer: Tokenizer,
  ids: readonly number[],
  isRead: readonly boolean[],
): string {
  const decoder = new StreamDecoder(tokenizer)
  const parts = ids.map((id, i) => shown(decoder.push(id), isRead[i]))
  return parts.join('') + shown(decoder.end(), isRead.at(-1) ?? false)
}

const shown = (text: string, isRead: boolean): string => (isRead ? text : text.replace(/\S/gu, '·'))
