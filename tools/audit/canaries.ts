/** Canaries: dialogues with a random code in them, put among the training dialogues to see whether it can be got out. */
import { PredictableRandom } from '../../src/model/random.ts'
import type { Dialogue } from '../train/dialogues.ts'

export interface CanaryPlan {
  /** How often each canary of a group occurs, for each group. */
  repetitions: number[]
  /** Canaries in a group. */
  perGroup: number
  /** Other codes to rank them against. */
  references: number
  digits: number
  seed: number
}

export interface Canaries {
  groups: Array<{ repetitions: number; canaries: Dialogue[] }>
  references: Dialogue[]
  /** Every canary as often as it occurs, for the training data. */
  inserted: Dialogue[]
}

/** All codes are different and uniformly random, so what a model knows of one it learned from the data. */
export function makeCanaries({ repetitions, perGroup, references, digits, seed }: CanaryPlan): Canaries {
  const needed = repetitions.length * perGroup + references
  if (needed > 10 ** digits / 2)
    throw new RangeError(`${needed} codes of ${digits} digits: that is too many to be a secret each.`)
  const random = new PredictableRandom(seed)
  const codes = new Set<string>()
  while (codes.size < needed) codes.add(Array.from({ length: digits }, () => random.below(10)).join(' '))
  const dialogues = [...codes].map(canary)
  const groups = repetitions.map((count, i) => ({
    repetitions: count,
    canaries: dialogues.slice(i * perGroup, (i + 1) * perGroup),
  }))
  return {
    groups,
    references: dialogues.slice(repetitions.length * perGroup),
    inserted: groups.flatMap(({ repetitions: count, canaries }) =>
      canaries.flatMap((dialogue) => Array<Dialogue>(count).fill(dialogue)),
    ),
  }
}

/** Digits stand apart, so that every code has as many tokens. */
const canary = (code: string): Dialogue => ({
  id: `canary ${code}`,
  turns: [
    { role: 'user', text: `My code is ${code} and I would like a latte.` },
    { role: 'assistant', text: 'Thank you, your latte is on its way.' },
  ],
})
