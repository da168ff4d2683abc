/** Labels for texts, one private pass each. */

import type { EncoderHead, LabelOutputs } from '../model/architectures/config.ts'
import { type Floats, softmax } from '../model/math.ts'
import type { RgbaPicture } from '../model/pictures/prepare.ts'
import { type EncodedText, encodeForEncoder } from '../model/tokenizer/encode-text.ts'
import { Cancelled, isNoise, type RunOptions } from '../protections/protection.ts'
import { answering } from './answering.ts'
import type { Answer, Classification, ClassifyInput } from './api.ts'
import { isUnanswered, OwnerError } from './api.ts'
import type { Running } from './chatting.ts'
import { type Open, reading } from './connect.ts'
import { entitiesOf, taggedWords } from './tagging.ts'

/**
 * Labels texts or pictures in order, and says each result; after `signal` it resolves with those so far. While one pass
 * runs, the input-independent work of the next is done. `results` are those of a session that ended under it: it goes on
 * behind them. One that has no answer is said and left: the next pass comes as it would have come otherwise, so that nobody
 * else learns of it. Throws `OwnerError`, and what sessions throw.
 */
export async function classify(
  open: Open,
  inputs: ClassifyInput[],
  run: Running,
  results: Answer[] = [],
): Promise<Answer[]> {
  const passes = inputs.map((input, i) => passOf(open, input, i))
  const report = (): void => run.onEvent(reading(open, results.length, inputs.length, 'texts'))
  try {
    for (const [index, pass] of passes.entries()) {
      if (index < results.length) continue
      report()
      if (run.signal.aborted) return results
      const started = performance.now()
      const answer = await answered(pass, { next: passes[index + 1]?.tokens, signal: run.signal })
      results.push(answer)
      if (isUnanswered(answer)) run.onEvent({ type: 'unanswered', index, error: answer.error })
      else run.onEvent({ type: 'classified', index, result: answer })
      run.passed((performance.now() - started) / 1000 / pass.tokens)
    }
    report()
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
  }
  return results
}

/** What comes of a pass; noise is an answer, too. Rejects with any other error. */
async function answered(pass: Pass, options: RunOptions): Promise<Answer> {
  try {
    return await pass.run(options)
  } catch (error) {
    if (!isNoise(error)) throw error
    return { error: OwnerError.from(error).toData() }
  }
}

/** What one input takes. */
interface Pass {
  readonly tokens: number
  run(options: RunOptions): Promise<Classification>
}

type LabelHead = Extract<EncoderHead, { kind: 'classify' | 'tag' }>

function passOf(open: Open, input: ClassifyInput, index: number): Pass {
  if (open.info.model.outputs === 'text') return { tokens: 1, run: answering(open, input) }
  const { config, name } = open.model
  const { head } = config
  if (head?.kind !== 'classify' && head?.kind !== 'tag')
    throw new OwnerError(
      'wrong-task',
      `The model '${name}' has no labels to give.`,
      'Choose a model that labels texts.',
    )
  return input.picture ? ofPicture(open, input.picture, head) : ofText(open, input, index, head)
}

function ofText(open: Open, input: ClassifyInput, index: number, head: LabelHead): Pass {
  if (open.info.model.reads === 'pictures')
    throw new OwnerError(
      'wrong-task',
      `The model '${open.model.name}' reads pictures, and no texts.`,
      'Give it a picture, or choose a model that labels texts.',
    )
  const text = encoded(open, input, index)
  return {
    tokens: text.ids.length,
    async run(options) {
      const logits = await open.connection.run(0, text, options)
      const found =
        head.kind === 'tag'
          ? tagged(open, input.text, text, logits, head.labels)
          : labelled(logits, head.labels, head.outputs)
      return { ...found, isCut: text.isCut }
    },
  }
}

function ofPicture({ connection, model }: Open, picture: RgbaPicture, head: LabelHead): Pass {
  if (!connection.look || head.kind !== 'classify')
    throw new OwnerError(
      'wrong-task',
      `The model '${model.name}' reads no pictures.`,
      'Choose a model that labels pictures.',
    )
  const look = connection.look.bind(connection)
  return {
    tokens: 1,
    async run(options) {
      const { logits, view } = await look(picture, options)
      return { ...labelled(logits, head.labels, head.outputs), isCut: false, view }
    },
  }
}

function encoded(
  { tokenizer, model, connection }: Open,
  { text, pair }: ClassifyInput,
  index: number,
): EncodedText {
  const { config } = model
  const out = encodeForEncoder(tokenizer, config, connection.maxTokens, text, pair)
  if (out.ids.length === 0)
    throw new OwnerError('empty', `Text ${index + 1} is empty.`, 'Leave it out, or write something.')
  return out
}

/** Probabilities, or scores, in the labels' order, and the likeliest label. */
function labelled(
  logits: Floats,
  labels: readonly string[],
  outputs: LabelOutputs | undefined,
): Omit<Classification, 'isCut'> {
  const label = labels[logits.indexOf(Math.max(...logits))]
  if (outputs === 'raw')
    return { label, probabilities: [], scores: labels.map((label, i) => ({ label, score: logits[i] })) }
  const p = outputs === 'sigmoid' ? logits.map((x) => 1 / (1 + Math.exp(-x))) : logits.slice()
  if (outputs === undefined) softmax(p)
  return { label, probabilities: labels.map((label, i) => ({ label, probability: p[i] })) }
}

/** Labels of the words, and the entities that they make. */
function tagged(
  { tokenizer }: Open,
  text: string,
  { ids }: EncodedText,
  logits: Floats,
  labels: readonly string[],
): Omit<Classification, 'isCut'> {
  const words = taggedWords(tokenizer, text, ids, logits, labels)
  const entities = entitiesOf(words)
  const kinds = [...new Set(entities.map(({ label }) => label))]
  return { label: kinds.join(', ') || 'none', probabilities: [], words, entities }
}
