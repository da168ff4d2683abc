/** Labels for texts, one private pass each. */

import type { LabelOutputs } from '../model/architectures/config.ts'
import { type Floats, softmax } from '../model/math.ts'
import { type EncodedText, encodeForEncoder } from '../model/tokenizer/encode-text.ts'
import { Cancelled } from '../protections/protection.ts'
import type { Classification, ClassifyInput } from './api.ts'
import { OwnerError } from './api.ts'
import type { Running } from './chatting.ts'
import { type Open, reading } from './connect.ts'
import { entitiesOf, taggedWords } from './tagging.ts'

/**
 * Labels the texts in order, and says each result; after `signal` it resolves with those so far. While one pass runs, the
 * input-independent work of the next is done. `results` are those of a session that ended under it: it goes on behind them.
 * Throws `OwnerError`, and what sessions throw.
 */
export async function classify(
  open: Open,
  inputs: ClassifyInput[],
  run: Running,
  results: Classification[] = [],
): Promise<Classification[]> {
  const { connection, model } = open
  const { config, name } = model
  const { head } = config
  if (head?.kind !== 'classify' && head?.kind !== 'tag')
    throw new OwnerError(
      'wrong-task',
      `The model '${name}' has no labels to give.`,
      'Choose a model that labels texts.',
    )
  const texts = inputs.map((input, i) => encoded(open, input, i))
  const report = (): void => run.onEvent(reading(open, results.length, inputs.length, 'texts'))
  try {
    for (const [index, text] of texts.entries()) {
      if (index < results.length) continue
      report()
      if (run.signal.aborted) return results
      const started = performance.now()
      const next = texts[index + 1]?.ids.length
      const logits = await connection.run(0, text, { next, signal: run.signal })
      const found =
        head.kind === 'tag'
          ? tagged(open, inputs[index].text, text, logits, head.labels)
          : labelled(logits, head.labels, head.outputs)
      const result = { ...found, isCut: text.isCut }
      results.push(result)
      run.onEvent({ type: 'classified', index, result })
      run.passed((performance.now() - started) / 1000 / text.ids.length)
    }
    report()
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
  }
  return results
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
