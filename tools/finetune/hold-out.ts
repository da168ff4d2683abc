import { createHash } from 'node:crypto'
import type { Dialogue } from '../train/dialogues.ts'

export interface Parts<T> {
  train: T[]
  dev: T[]
}

/**
 * Splits examples by a hash of what they say: the same every time, and equal ones are never on both sides. About `share`
 * of them are held out. Where an example goes depends on nothing but itself, so that one example more or less changes
 * one part by one example, which is what a private run counts on.
 */
export function holdOutBy<T>(examples: readonly T[], share: number, said: (example: T) => unknown): Parts<T> {
  const parts: Parts<T> = { train: [], dev: [] }
  for (const example of examples) {
    const hash = createHash('sha256').update(JSON.stringify(said(example)))
    parts[hash.digest().readUInt32BE() / 2 ** 32 < share ? 'dev' : 'train'].push(example)
  }
  return parts
}

/** Dialogues, by what is said in them. */
export const holdOut = (dialogues: readonly Dialogue[], share: number): Parts<Dialogue> =>
  holdOutBy(dialogues, share, ({ turns }) => turns.map(({ role, text }) => [role, text]))
