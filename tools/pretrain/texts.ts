import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** One text, or a text and what follows it. */
export type TextPair = [string] | [string, string]

/** Lines of a text file, gzipped if its name ends in `.gz`; empty lines are left out. */
export function readLines(path: string): string[] {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text.split(/\r?\n/).filter((line) => line.trim() !== '')
}

/**
 * JSON lines with a `text`, or dialogues with `turns`, as material for pre-training: a dialogue gives pairs of a turn
 * and its answer. Throws naming the line that is neither.
 */
export function readTexts(path: string): TextPair[] {
  return readLines(path).flatMap((line, i) => {
    const value = parse(line, `${path}, line ${i + 1}`)
    if (typeof value.text === 'string') return [[value.text] satisfies TextPair]
    if (!Array.isArray(value.turns))
      throw new Error(`${path}, line ${i + 1}: expected an object with "text" or with "turns".`)
    const turns = (value.turns as Array<{ text: string }>).map(({ text }) => String(text))
    const pairs: TextPair[] = []
    for (let at = 0; at < turns.length; at += 2)
      pairs.push(at + 1 < turns.length ? [turns[at], turns[at + 1]] : [turns[at]])
    return pairs
  })
}

function parse(line: string, where: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    throw new Error(`${where}: not JSON. Expected one object for each line.`)
  }
}
