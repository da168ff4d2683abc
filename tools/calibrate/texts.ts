/** Texts to calibrate on, as token sequences of the kind that the model will see. */
import type { Tokenizer } from '@huggingface/tokenizers'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import type { Message } from '../../src/model/tokenizer/chat.ts'
import { encodeChat, encodeText } from '../../src/model/tokenizer/encode-chat.ts'
import { encodeForEncoder } from '../../src/model/tokenizer/encode-text.ts'
import type { Sequence } from '../../src/protections/shared/profiles/workshop.ts'
import { parseJsonLines } from '../../src/texts/json-lines.ts'
import { readText } from '../pretrain/texts.ts'

/** Dialogues, texts (perhaps pairs), or one long text. */
export type CalibrationText = { messages: Message[] } | { text: string; pair?: string }

/**
 * Reads JSON lines (told by the file's name, or a brace at its start), each of `{turns: [{role, text}]}` or
 * `{text, pair?}`, or else plain text; gzipped if the name ends in `.gz`. Throws naming the line that is wrong.
 */
export function readCalibrationTexts(path: string): CalibrationText[] {
  const text = readText(path)
  if (!/\.jsonl?(\.gz)?$/.test(path) && !/^\s*\{/.test(text)) return passages(text)
  const notJson = (line: number) =>
    new Error(
      `${path}, line ${line}: not JSON. Expected {"text"} or {"turns": [{"role", "text"}]} on each line.`,
    )
  return parseJsonLines(text, notJson).map(({ line, value }) =>
    calibrationText(value, `${path}, line ${line}`),
  )
}

/** Plain text in pieces of whole lines, each about as long as a context may be. */
function passages(text: string, length = 4096): CalibrationText[] {
  const out: CalibrationText[] = []
  let piece = ''
  for (const line of text.split(/(?<=\n)/)) {
    piece += line
    if (piece.length < length) continue
    out.push({ text: piece })
    piece = ''
  }
  if (piece.trim() !== '') out.push({ text: piece })
  return out
}

function calibrationText(value: unknown, where: string): CalibrationText {
  const { turns, text, pair } = (value ?? {}) as Record<string, unknown>
  if (typeof text === 'string') return typeof pair === 'string' ? { text, pair } : { text }
  const isTurn = (t: Message & { text: unknown }) =>
    (t?.role === 'user' || t?.role === 'assistant') && typeof t.text === 'string'
  if (!Array.isArray(turns) || !turns.every(isTurn))
    throw new Error(`${where}: neither a "text" nor "turns" with a "role" of user or assistant and a "text".`)
  return {
    messages: turns.map(({ role, text }: { role: Message['role']; text: string }) => ({
      role,
      content: text,
    })),
  }
}

/** The ids of one text, cut to the context: chat models see turns, encoders their own marks and token types. */
export function calibrationSequence(
  tokenizer: Tokenizer,
  { config, chat, text: format }: Pick<Manifest, 'config' | 'chat' | 'text'>,
  from: CalibrationText,
): Sequence {
  if (!continuesText(config)) {
    const text = 'text' in from ? from.text : from.messages.map(({ content }) => content).join('\n')
    const { ids, types } = encodeForEncoder(
      tokenizer,
      config,
      config.context,
      text,
      'pair' in from ? from.pair : undefined,
    )
    return { ids, types }
  }
  const messages = 'messages' in from ? from.messages : [{ role: 'user' as const, content: from.text }]
  const ids = chat
    ? encodeChat(tokenizer, chat, messages, { reply: !('messages' in from) })
    : encodeText(tokenizer, format, messages)
  return ids.slice(0, config.context)
}
