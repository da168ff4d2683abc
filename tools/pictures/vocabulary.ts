import { PredictableRandom } from '../../src/model/random.ts'
import { toTokenizerJson, trainBpe } from '../train/bpe.ts'
import { places } from './collage.ts'
import { llavaSpecials } from './collage-batches.ts'
import { ask, questionKinds } from './questions.ts'

/** Texts that the vocabulary is made from. */
const TEXTS = 20_000

/** A vocabulary of at most `size` tokens, in which the words of questions and answers are whole; all is lower case. */
export function collageVocabulary(size: number, labels: number): object {
  const random = new PredictableRandom(1)
  const texts = Array.from({ length: TEXTS }, (_, i) => {
    const classes = places.map(() => random.below(labels))
    const { question, answer } = ask(questionKinds[i % questionKinds.length], classes, random)
    return [question, answer]
  }).flat()
  const json = toTokenizerJson(trainBpe(texts, size, [...llavaSpecials]))
  return { ...json, normalizer: { type: 'Lowercase' } }
}
