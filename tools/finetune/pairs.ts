import { PredictableRandom } from '../../src/model/random.ts'
import { DataError, type Example } from './data.ts'

/** Labels of the pairs below, in the order of their numbers. */
export const pairLabels = ['different', 'same'] as const

/**
 * Pairs of texts that mean the same (have one label) or not, half and half, from labelled texts. Each text is the first
 * of 2 `perText` pairs; partners are drawn at random, the same for the same seed.
 */
export function sameLabelPairs(examples: readonly Example[], perText: number, seed: number): Example[] {
  const byLabel = new Map<string, Example[]>()
  for (const example of examples) {
    const same = byLabel.get(example.label)
    if (same) same.push(example)
    else byLabel.set(example.label, [example])
  }
  if (byLabel.size < 2) throw new DataError('Pairs need texts with at least two labels.')
  const random = new PredictableRandom(seed)
  return examples.flatMap((example) => {
    const same = byLabel.get(example.label)!
    if (same.length < 2) return []
    return Array.from({ length: perText }, () => {
      let like = example
      while (like === example) like = same[random.below(same.length)]
      let unlike = example
      while (unlike.label === example.label) unlike = examples[random.below(examples.length)]
      return [
        { text: example.text, pair: like.text, label: pairLabels[1] },
        { text: example.text, pair: unlike.text, label: pairLabels[0] },
      ]
    }).flat()
  })
}

/**
 * Splits examples into training and held-out ones, label by label, so that each label's share is the same; the same for
 * the same seed. Texts of the two parts are disjoint if the examples' texts are.
 */
export function splitByLabel(
  examples: readonly Example[],
  heldOut: number,
  seed: number,
): { train: Example[]; dev: Example[] } {
  const random = new PredictableRandom(seed)
  const groups = new Map<string, Array<{ example: Example; order: number }>>()
  for (const example of examples) {
    const entry = { example, order: random.uniform() }
    const group = groups.get(example.label)
    if (group) group.push(entry)
    else groups.set(example.label, [entry])
  }
  const held = new Set<Example>()
  for (const group of groups.values()) {
    group.sort((a, b) => a.order - b.order)
    for (const { example } of group.slice(0, Math.round(heldOut * group.length))) held.add(example)
  }
  return { train: examples.filter((e) => !held.has(e)), dev: examples.filter((e) => held.has(e)) }
}
