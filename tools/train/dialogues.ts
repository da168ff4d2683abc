import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Tokenizer } from '@huggingface/tokenizers'
import { encodePlain } from '../../src/model/tokenizer/special.ts'

/** One line of a dialogue file. */
export interface Dialogue {
  id: string
  turns: Array<{ role: 'user' | 'assistant'; text: string }>
}

/** The special tokens of the chat template, in id order. */
export const chatSpecials = ['<|bos|>', '<|user|>', '<|assistant|>', '<|end|>']

/** Reads JSON-lines dialogues, gzipped if the name ends in `.gz`. Throws naming the line that is wrong. */
export function readDialogues(path: string): Dialogue[] {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .flatMap((line, i) => (line.trim() === '' ? [] : [parseDialogue(line, `${path}, line ${i + 1}`)]))
}

function parseDialogue(line: string, where: string): Dialogue {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new Error(`${where}: not JSON. Expected one object {"id", "turns": [{"role", "text"}]} per line.`)
  }
  const dialogue = value as Dialogue
  const good =
    Array.isArray(dialogue?.turns) &&
    dialogue.turns.every((t) => (t?.role === 'user' || t?.role === 'assistant') && typeof t.text === 'string')
  if (!good) throw new Error(`${where}: every turn needs a "role" of user or assistant and a "text".`)
  return dialogue
}

/** Id of a special token. Throws a RangeError where the tokenizer has it not. */
export function specialId(tokenizer: Tokenizer, token: string): number {
  const id = tokenizer.token_to_id(token)
  if (id === undefined) throw new RangeError(`"${token}" is not a special token of this vocabulary`)
  return id
}

/** `<|bos|>` and then `<|role|>text<|end|>` for every turn. */
export function encodeDialogue({ turns }: Dialogue, tokenizer: Tokenizer): number[] {
  const ids = [specialId(tokenizer, '<|bos|>')]
  for (const { role, text } of turns) {
    ids.push(specialId(tokenizer, `<|${role}|>`))
    for (const id of encodePlain(tokenizer, text)) ids.push(id)
    ids.push(specialId(tokenizer, '<|end|>'))
  }
  return ids
}

/** All dialogues one after another, as one stream of tokens. */
export function encodeAll(dialogues: Dialogue[], tokenizer: Tokenizer): Uint16Array {
  const parts = dialogues.map((dialogue) => encodeDialogue(dialogue, tokenizer))
  const stream = new Uint16Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    stream.set(part, at)
    at += part.length
  }
  return stream
}
