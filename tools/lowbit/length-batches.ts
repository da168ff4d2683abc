import { PredictableRandom } from '../../src/model/random.ts'

/** Numbers of examples of one padded length. */
export interface LengthBatch {
  readonly length: number
  readonly numbers: readonly number[]
}

/** An epoch's batches, each of examples of one padded length, in random order; the same for the same seed. */
export function lengthBatches(lengths: readonly number[], rows: number, seed: number): LengthBatch[] {
  const random = new PredictableRandom(seed)
  const shuffle = <T>(list: T[]): T[] => {
    for (let i = list.length - 1; i > 0; i--) {
      const j = random.below(i + 1)
      ;[list[i], list[j]] = [list[j], list[i]]
    }
    return list
  }
  const byLength = new Map<number, number[]>()
  for (const number of shuffle(lengths.map((_, i) => i))) {
    const same = byLength.get(lengths[number])
    if (same) same.push(number)
    else byLength.set(lengths[number], [number])
  }
  const batches = [...byLength].flatMap(([length, numbers]) =>
    Array.from({ length: Math.ceil(numbers.length / rows) }, (_, i) => ({
      length,
      numbers: numbers.slice(i * rows, (i + 1) * rows),
    })),
  )
  return shuffle(batches)
}
