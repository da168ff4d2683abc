import { Tensor as OrtTensor } from 'onnxruntime-node'
import { PredictableRandom } from '../../src/model/random.ts'
import { bucketOf, type Feeds, type TrainingText, textFeeds } from './feeds.ts'
import { hiddenCount } from './masked-graph.ts'

/** A text with what the sentence objective wants to be guessed about it. */
export interface Material {
  text: TrainingText
  about: Float32Array
}

export interface SpecialIds {
  pad: number
  mask: number
  /** Ids below this are special tokens and single characters are not. */
  specials: number
  vocab: number
}

export interface MaskedBatch {
  examples: number
  length: number
  feeds: Feeds
}

/** Batches of about `tokens` tokens of texts of similar length; the same seed and step give the same batch. */
export class MaskedBatches {
  readonly #byLength = new Map<number, Material[]>()
  readonly #lengths: number[] = []
  readonly #ids: SpecialIds
  readonly #tokens: number
  readonly #seed: number

  constructor(
    material: Material[],
    ids: SpecialIds,
    options: { context: number; tokens: number; seed: number },
  ) {
    for (const item of material) {
      const length = bucketOf(item.text.ids.length, options.context)
      const known = this.#byLength.get(length)
      if (known) known.push(item)
      else this.#byLength.set(length, [item])
    }
    // A bucket is drawn as often as its texts need: once for every batch that it fills.
    for (const [length, items] of this.#byLength) {
      const share = Math.round((items.length * length) / options.tokens)
      for (let i = 0; i < share; i++) this.#lengths.push(length)
    }
    if (this.#lengths.length === 0) throw new Error('There is too little text for a single batch.')
    this.#ids = ids
    this.#tokens = options.tokens
    this.#seed = options.seed
  }

  /** Batches in which each text comes up once on average. */
  get perEpoch(): number {
    return this.#lengths.length
  }

  at(step: number): MaskedBatch {
    const random = new PredictableRandom(this.#seed * 1_000_003 + step)
    const length = this.#lengths[random.below(this.#lengths.length)]
    const pool = this.#byLength.get(length)!
    const examples = Math.max(1, Math.floor(this.#tokens / length))
    const chosen = Array.from({ length: examples }, () => pool[random.below(pool.length)])
    return { examples, length, feeds: this.#hide(chosen, length, random) }
  }

  /** Hides tokens as BERT does: eight in ten by the mask, one by another token, one left as it is. */
  #hide(chosen: Material[], length: number, random: PredictableRandom): Feeds {
    const { pad, mask, specials, vocab } = this.#ids
    const examples = chosen.length
    const feeds = textFeeds(
      chosen.map(({ text }) => text),
      examples,
      length,
      pad,
    )
    const ids = feeds.ids.data as BigInt64Array
    const count = hiddenCount(examples, length)
    const open = Array.from({ length: ids.length }, (_, i) => i)
    const first = shuffleFirst(open, count, (i) => Number(ids[i]) >= specials, random)
    const rows = BigInt64Array.from({ length: count }, (_, i) => BigInt(open[i]))
    const gold = BigInt64Array.from(rows, (row) => ids[Number(row)])
    const weights = Float32Array.from({ length: count }, (_, i) => (i < first ? 1 / first : 0))
    for (let i = 0; i < first; i++) {
      const how = random.below(10)
      if (how < 8) ids[open[i]] = BigInt(mask)
      else if (how === 8) ids[open[i]] = BigInt(specials + random.below(vocab - specials))
    }
    const about = new Float32Array(examples * chosen[0].about.length)
    chosen.forEach((item, i) => {
      about.set(item.about, i * item.about.length)
    })
    return {
      ...feeds,
      rows: new OrtTensor('int64', rows, [count]),
      targets: new OrtTensor('int64', gold, [count, 1]),
      weights: new OrtTensor('float32', weights, [count, 1]),
      sentence: new OrtTensor('float32', about, [examples, about.length / examples]),
      'sentence weights': new OrtTensor('float32', new Float32Array(examples).fill(1 / examples), [
        examples,
        1,
      ]),
    }
  }
}

/**
 * Moves up to `count` random numbers that `isFit` to the front, in place, and returns how many; what follows them are
 * others, each still once.
 */
function shuffleFirst(
  numbers: number[],
  count: number,
  isFit: (n: number) => boolean,
  random: PredictableRandom,
): number {
  let end = numbers.length
  let found = 0
  while (found < count && found < end) {
    const at = found + random.below(end - found)
    const goal = isFit(numbers[at]) ? found++ : --end
    ;[numbers[at], numbers[goal]] = [numbers[goal], numbers[at]]
  }
  return found
}
