import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decodeText } from '../../src/texts/decode.ts'
import { parseJsonLines } from '../../src/texts/json-lines.ts'

/** One text, or a text and what follows it. */
export type TextPair = [string] | [string, string]

/** A text file in whatever encoding it came, gzipped if its name ends in `.gz`. Throws for what is no text. */
export function readText(path: string): string {
  const bytes = readFileSync(path)
  return decodeText(basename(path), path.endsWith('.gz') ? gunzipSync(bytes) : bytes).text
}

export interface NumberedLine {
  /** Counts from 1. */
  line: number
  text: string
}

/** Lines of a text file as `readText` takes it; empty lines are left out. */
export function readLines(path: string): NumberedLine[] {
  const lines = readText(path).split(/\r?\n/)
  return lines.map((text, at) => ({ line: at + 1, text })).filter(({ text }) => text.trim() !== '')
}

/**
 * JSON lines with a `text`, or dialogues with `turns`, as material for pre-training: a dialogue gives pairs of a turn
 * and its answer. Throws naming the line that is neither.
 */
export function readTexts(path: string): TextPair[] {
  const notJson = (line: number) =>
    new Error(`${path}, line ${line}: not JSON. Expected one object for each line.`)
  return parseJsonLines(readText(path), notJson).flatMap(({ line, value }) => {
    const { text, turns } = (value ?? {}) as { text?: unknown; turns?: unknown }
    if (typeof text === 'string') return [[text] satisfies TextPair]
    if (!Array.isArray(turns))
      throw new Error(`${path}, line ${line}: expected an object with "text" or with "turns".`)
    const texts = (turns as Array<{ text: string }>).map(({ text }) => String(text))
    const pairs: TextPair[] = []
    for (let at = 0; at < texts.length; at += 2)
      pairs.push(at + 1 < texts.length ? [texts[at], texts[at + 1]] : [texts[at]])
    return pairs
  })
}
