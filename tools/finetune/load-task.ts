import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { EncoderTokenizer } from '../pretrain/encode.ts'
import { type Base, prepare } from './base.ts'
import { ClassifyTask, type Labelled } from './classify-task.ts'
import { DataError, type Example, fileBytes, labelNumbers, labelsOf, readExamples } from './data.ts'
import { readGlue } from './glue.ts'
import { holdOutBy } from './hold-out.ts'
import { loadChatTask } from './load-chat-task.ts'
import type { LoadedTask, TaskOptions } from './loaded-task.ts'
import { pairLabels, sameLabelPairs, splitByLabel } from './pairs.ts'

/** Reads the data of a task and makes the base ready for it. Throws a {@link DataError} for data that does not fit. */
export function loadTask(base: Base, o: TaskOptions): LoadedTask {
  if (o.task === 'chat') return loadChatTask(base, o)
  if (continuesText(base.config))
    throw new DataError(
      `A model of form "${base.config.arch}" does not classify; use an encoder, or --task chat.`,
    )
  const { train, dev } = readData(o)
  const arePairs = train.some(({ pair }) => pair !== undefined)
  if ([...train, ...dev].some(({ pair }) => (pair !== undefined) !== arePairs))
    throw new DataError('Some examples are pairs and others are not. A model reads one or the other.')
  const labels = isMade(o, train) ? [...pairLabels] : namedLabels(o, train, dev)
  const prepared = prepare(base, { labels, ...(arePairs && { pairs: true }) }, o)
  const { config, tensors } = prepared
  const encoder = new EncoderTokenizer(base.tokenizer, config)
  const encode = (examples: Example[], path: string): Labelled[] => {
    const numbers = labelNumbers(examples, labels, path)
    return examples.map(({ text, pair }, i) => ({ text: encoder.encode(text, pair), label: numbers[i] }))
  }
  const task = new ClassifyTask({
    ...prepared,
    train: encode(train, o.data),
    dev: encode(dev, o.dev ?? o.data),
    pad: encoder.pad,
    mask: encoder.id('[MASK]') ?? encoder.id('<mask>'),
    wordDropout: o.wordDropout,
    smoothing: o.smoothing,
    threads: o.threads,
  })
  const dataset = createHash('sha256').update(fileBytes(o.data)).digest('hex')
  return { task, config, tensors, tokenizer: base.tokenizer, dev, dataset }
}

/**
 * The labels that the bundle names. A private run's are the held-out texts' own: a label that one training example alone
 * has would give that example away.
 */
function namedLabels({ isPrivate }: TaskOptions, train: Example[], dev: Example[]): string[] {
  if (!isPrivate) return labelsOf(train)
  const labels = labelsOf(dev)
  const other = train.find(({ label }) => !labels.includes(label))
  if (other)
    throw new DataError(
      `No held-out text has the label "${other.label}", and a private model names only labels that held-out texts have. Add such a text to --dev, or leave that label out.`,
    )
  return labels
}

/** Whether the pairs were made here, from texts with labels of their own. */
const isMade = ({ task }: TaskOptions, train: Example[]): boolean =>
  task === 'pairs' && train.every(({ label }) => (pairLabels as readonly string[]).includes(label))

function readData(o: TaskOptions): { train: Example[]; dev: Example[] } {
  const all = readFile(o.task, o.data)
  const parts = o.dev ? { train: all, dev: readFile(o.task, o.dev) } : heldOut(o, all)
  if (parts.dev.length === 0)
    throw new DataError(`${basename(o.data)}: no text is held out. Give some by --dev.`)
  if (o.task !== 'pairs' || all.every(({ pair }) => pair !== undefined)) return parts
  if (o.isPrivate)
    throw new DataError(
      `${basename(o.data)}: pairs made from labelled texts share texts, and a private run protects single pairs. ` +
        'Give the pairs themselves, or train without --epsilon.',
    )
  return {
    train: sameLabelPairs(parts.train, o.pairsPerText, o.seed),
    dev: sameLabelPairs(parts.dev, 1, o.seed + 1),
  }
}

/** By label, evenly; of a private run by each text's hash alone. */
const heldOut = (o: TaskOptions, all: Example[]) =>
  o.isPrivate
    ? holdOutBy(all, o.heldOut, ({ text, pair = null }) => [text, pair])
    : splitByLabel(all, o.heldOut, o.seed)

function readFile(task: string, path: string): Example[] {
  if (task.startsWith('glue:')) return readGlue(path, task.slice('glue:'.length))
  const examples = readExamples(path)
  if (task === 'sst2' && examples.some(({ label, pair }) => !/^[01]$/.test(label) || pair !== undefined))
    throw new DataError(
      `${basename(path)}: SST-2 has single texts with labels 0 and 1. For others, use --task labels.`,
    )
  return examples
}
