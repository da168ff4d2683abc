import { createHash } from 'node:crypto'
import type { Dialogue } from '../dialogues.ts'

/**
 * Splits dialogues by a hash of what is said in them: the same every time, and equal dialogues are never on both sides.
 * About `share` of them are held out.
 */
export function holdOut(
  dialogues: readonly Dialogue[],
  share: number,
): { train: Dialogue[]; dev: Dialogue[] } {
  const train: Dialogue[] = []
  const dev: Dialogue[] = []
  for (const dialogue of dialogues) {
    const said = JSON.stringify(dialogue.turns.map(({ role, text }) => [role, text]))
    const place = createHash('sha256').update(said).digest().readUInt32BE() / 2 ** 32
    if (place < share) dev.push(dialogue)
    else train.push(dialogue)
  }
  return { train, dev }
}
