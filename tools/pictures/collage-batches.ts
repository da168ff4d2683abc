/** Batches of collages, alone and with texts on them. */
import type { Tokenizer } from '@huggingface/tokenizers'
import { Tensor as OrtTensor } from 'onnxruntime-node'
import type { LlavaConfig } from '../../src/model/pictures/llava.ts'
import { cutPatches, type Normalising } from '../../src/model/pictures/patches.ts'
import { patchCount, patchSize } from '../../src/model/pictures/tower.ts'
import type { PredictableRandom } from '../../src/model/random.ts'
import { rotaryFrequencies } from '../../src/model/rope.ts'
import { encodePlain } from '../../src/model/tokenizer/special.ts'
import type { Feeds } from '../pretrain/feeds.ts'
import { specialId } from '../train/dialogues.ts'
import { COLLAGE_SIDE, drawCollage } from './collage.ts'
import type { LabelledPictures } from './fashion.ts'
import { ask, type QuestionKind, questionKinds } from './questions.ts'
import type { ReadingSizes } from './reading-graph.ts'

/** Special tokens by what they are for, in the order of their ids. */
export const llavaSpecials = ['<|bos|>', '<|user|>', '<|assistant|>', '<|end|>', '<image>'] as const

export interface CollageSource {
  readonly config: LlavaConfig
  readonly normal: Normalising
  readonly pictures: LabelledPictures
  readonly labels: number
  readonly random: PredictableRandom
  /** Whether garments are shown as one might have taken them as well. */
  readonly isVaried: boolean
}

/** What a tower reads and should see in it, and the garments' classes. */
export function collageFeeds(s: CollageSource, examples: number): { feeds: Feeds; classes: number[][] } {
  const { tower } = s.config
  const [count, width] = [patchCount(tower), patchSize(tower)]
  const patches = new Float32Array(examples * count * width)
  const quarters = new BigInt64Array(examples * count)
  const classes = Array.from({ length: examples }, (_, e) => {
    const { pixels, labels } = drawCollage(s.pictures, s.random, s.isVaried)
    cutPatches(pixels, tower, s.normal, patches, e * COLLAGE_SIDE ** 2)
    for (let p = 0; p < count; p++) {
      const place = placeOf(p, count)
      quarters[e * count + p] = BigInt(place * s.labels + labels[place])
    }
    return [...labels]
  })
  const feeds = {
    patches: new OrtTensor('float32', patches, [examples * count, width]),
    quarters: new OrtTensor('int64', quarters, [quarters.length, 1]),
  }
  return { feeds, classes }
}

/** Of a collage cut in so many patches: the number of the place that a patch is of. */
function placeOf(patch: number, count: number): number {
  const across = Math.sqrt(count)
  return (
    2 * Math.floor((2 * Math.floor(patch / across)) / across) + Math.floor((2 * (patch % across)) / across)
  )
}

/** A question with its answer in tokens. */
export interface Exchange {
  /** From the user's mark to the assistant's. */
  readonly before: number[]
  /** With the mark that ends it. */
  readonly answered: number[]
}

export function exchange(tokenizer: Tokenizer, question: string, answer: string): Exchange {
  const [user, assistant, end] = [1, 2, 3].map((i) => specialId(tokenizer, llavaSpecials[i]))
  return {
    before: [user, ...encodePlain(tokenizer, question), end, assistant],
    answered: [...encodePlain(tokenizer, answer), end],
  }
}

/** A question of a batch that is in it whole. */
export interface Asked {
  readonly kind: QuestionKind
  /** The row, of those of texts, behind which its answer begins. */
  readonly from: number
  readonly answer: readonly number[]
}

export interface ReadingBatch {
  readonly feeds: Feeds
  readonly asked: readonly Asked[]
}

/** How often each kind is asked: of those who begin, and later. */
export const naming: readonly QuestionKind[] = ['place', 'place', 'all']
export const everyKind: readonly QuestionKind[] = [...questionKinds, 'place', 'place', 'where']

/**
 * What the whole model reads: each collage with as many questions as there is room for, none of which sees another: all
 * count from the picture on.
 */
export function readingBatch(
  s: CollageSource,
  tokenizer: Tokenizer,
  sizes: ReadingSizes,
  kinds = everyKind,
): ReadingBatch {
  const { examples, tokens } = sizes
  const { feeds, classes } = collageFeeds(s, examples)
  const asked: Asked[] = []
  const before = 1 + patchCount(s.config.tower)
  const length = before + tokens
  const frequencies = rotaryFrequencies(s.config.text)
  const hd = 2 * frequencies.length
  const ids = new BigInt64Array(examples * length).fill(BigInt(s.config.pictureToken))
  const [cos, sin] = [0, 1].map(() => new Float32Array(examples * length * hd))
  const mask = new Float32Array(examples * length * length).fill(-1e9)
  const targets = new BigInt64Array(examples * tokens)
  const weights = new Float32Array(examples * tokens)
  const place = (row: number, position: number): void => {
    for (let i = 0; i < hd; i++) {
      const angle = position * frequencies[i % frequencies.length]
      cos[row * hd + i] = Math.cos(angle)
      sin[row * hd + i] = Math.sin(angle)
    }
  }
  for (let e = 0; e < examples; e++) {
    const first = e * length
    ids[first] = BigInt(specialId(tokenizer, llavaSpecials[0]))
    for (let i = 0; i < before; i++) {
      place(first + i, i)
      mask.fill(0, (first + i) * length, (first + i) * length + i + 1)
    }
    for (let at = before; at < length; ) {
      const { kind, question, answer } = ask(kinds[s.random.below(kinds.length)], classes[e], s.random)
      const { before: open, answered } = exchange(tokenizer, question, answer)
      const all = [...open, ...answered]
      // A question that does not fit is cut: its beginning is learned from all the same.
      const fit = all.slice(0, length - at)
      fit.forEach((id, i) => {
        const row = first + at + i
        ids[row] = BigInt(id)
        place(row, before + i)
        mask.fill(0, row * length, row * length + before)
        mask.fill(0, row * length + at, row * length + at + i + 1)
        const target = e * tokens + at - before + i
        if (i + 1 >= open.length && i + 1 < fit.length) {
          targets[target] = BigInt(all[i + 1])
          weights[target] = 1
        }
      })
      if (fit.length === all.length)
        asked.push({ kind, from: e * tokens + at - before + open.length - 1, answer: answered })
      at += fit.length
    }
  }
  const answers = weights.reduce((a, b) => a + b, 0)
  const all = {
    ...feeds,
    ids: new OrtTensor('int64', ids, [examples * length]),
    cos: new OrtTensor('float32', cos, [examples, 1, length, hd]),
    sin: new OrtTensor('float32', sin, [examples, 1, length, hd]),
    mask: new OrtTensor('float32', mask, [examples, 1, length, length]),
    targets: new OrtTensor('int64', targets, [targets.length, 1]),
    weights: new OrtTensor(
      'float32',
      weights.map((w) => w / answers),
      [weights.length, 1],
    ),
  }
  return { feeds: all, asked }
}
