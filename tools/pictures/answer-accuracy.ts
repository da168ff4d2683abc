import type { Tokenizer } from '@huggingface/tokenizers'
import type { Tensors } from '../../src/model/architectures/config.ts'
import type { LlavaConfig } from '../../src/model/pictures/llava.ts'
import type { Normalising } from '../../src/model/pictures/patches.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { openSession } from '../onnx/session.ts'
import { weightFeeds } from '../pretrain/feeds.ts'
import { readingBatch } from './collage-batches.ts'
import type { LabelledPictures } from './fashion.ts'
import { type QuestionKind, questionKinds } from './questions.ts'
import { readingGraph } from './reading-graph.ts'
import { inTraining } from './train-llava.ts'

/** Shares of questions that are answered word for word, by kind. */
export type AnswerAccuracy = Record<QuestionKind | 'overall', number>

export interface AnswerOptions {
  readonly config: LlavaConfig
  /** By the names of Hugging Face's files. */
  readonly tensors: Tensors
  readonly tokenizer: Tokenizer
  readonly normal: Normalising
  readonly pictures: LabelledPictures
  /** How many classes the pictures have. */
  readonly labels: number
  /** Collages to ask about. */
  readonly collages: number
  /** Whether each question is put on another collage than it is asked of: what somebody gets right who sees nothing. */
  readonly isBlind: boolean
}

const SIZES = { examples: 8, tokens: 128 }

/**
 * Asks about collages. The likeliest token behind each of an answer's beginnings is the right one for all of them if, and
 * only if, what the model writes by itself is the answer.
 */
export async function answerAccuracy(o: AnswerOptions): Promise<AnswerAccuracy> {
  const session = await openSession(readingGraph(o.config, SIZES), 1)
  const weights: Tensors = new Map([...o.tensors].map(([name, tensor]) => [inTraining(name), tensor]))
  const counts = new Map<QuestionKind, { asked: number; right: number }>()
  for (let from = 0; from < o.collages; from += SIZES.examples) {
    const source = { ...o, random: new PredictableRandom(from + 1), isVaried: false }
    const { feeds, asked } = readingBatch(source, o.tokenizer, SIZES)
    const { patches, ids, cos, sin, mask } = feeds
    if (o.isBlind) turn(patches.data as Float32Array, SIZES.examples)
    const results = await session.run({ patches, ids, cos, sin, mask, ...weightFeeds(weights) })
    const tokens = results.tokens.data as BigInt64Array
    for (const { kind, from: row, answer } of asked) {
      const count = counts.get(kind) ?? { asked: 0, right: 0 }
      count.asked++
      if (answer.every((token, i) => Number(tokens[row + i]) === token)) count.right++
      counts.set(kind, count)
    }
  }
  await session.release()
  const all = [...counts.values()]
  const share = (right: number, asked: number): number => (asked === 0 ? 0 : right / asked)
  const sum = (of: 'asked' | 'right'): number => all.reduce((total, count) => total + count[of], 0)
  const byKind = questionKinds.map((kind) => {
    const { asked, right } = counts.get(kind) ?? { asked: 0, right: 0 }
    return [kind, share(right, asked)]
  })
  return { ...Object.fromEntries(byKind), overall: share(sum('right'), sum('asked')) } as AnswerAccuracy
}

/** Gives each example of a batch the next one's picture. */
function turn(patches: Float32Array, examples: number): void {
  const size = patches.length / examples
  const first = patches.slice(0, size)
  patches.copyWithin(0, size)
  patches.set(first, patches.length - size)
}
