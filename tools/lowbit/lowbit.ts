import { basename, join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { type Base, readBase } from '../finetune/base.ts'
import { DataError, type Example, labelNumbers, readExamples } from '../finetune/data.ts'
import { holdOut } from '../finetune/hold-out.ts'
import { splitByLabel } from '../finetune/pairs.ts'
import { EncoderTokenizer } from '../pretrain/encode.ts'
import { readTexts } from '../pretrain/texts.ts'
import { Batches } from '../train/batches.ts'
import { encodeAll, readDialogues, specialId } from '../train/dialogues.ts'
import type { About } from '../train/export.ts'
import { LowbitChatTask } from './chat-task.ts'
import { LowbitClassifyTask } from './classify-task.ts'
import { exportLowbit } from './export.ts'
import type { Bits } from './precision.ts'
import { settled } from './scales.ts'
import { stagesFor } from './stages.ts'
import { type StudentShape, studentConfig, studentWeights } from './student.ts'
import type { LowbitTask } from './task.ts'
import { type LowbitProgress, type StageReport, trainLowbit } from './train.ts'
import { integers } from './weights.ts'

export interface LowbitOptions {
  /** Bundle that is imitated. */
  readonly base: string
  /** What the data is: texts with labels, or dialogues. */
  readonly task: 'labels' | 'chat'
  readonly data: string
  /** Texts or dialogues without labels, which the first stage learns from, too; classifiers only. */
  readonly texts: readonly string[]
  /** Held-out data in the same form; without it a tenth of `data`, the same that fine-tuning holds out. */
  readonly dev?: string
  readonly bits: Bits
  readonly shape: StudentShape
  readonly out: string
  /** Of the first and the last stage. */
  readonly epochs: number
  readonly batch: number
  readonly learningRate: number
  readonly wordDropout: number
  readonly hiddenWeight: number
  readonly soft: number
  readonly seed: number
  readonly threads: number
  readonly resume: boolean
  /** How often the state is saved; every two minutes if not given. */
  readonly checkpointSeconds?: number
  readonly about: Partial<About>
  readonly onProgress?: (progress: LowbitProgress) => void
  readonly onStage?: (report: StageReport) => void
}

export interface LowbitSummary {
  readonly bundle: string
  readonly hash: string
  readonly stages: readonly StageReport[]
  /** Of the quantized model, over three seeds of rounding. */
  readonly accuracy?: readonly number[]
  readonly loss: readonly number[]
}

/** Trains a lowbit model that stands in for a base, and writes its bundle. */
export async function runLowbit(o: LowbitOptions): Promise<LowbitSummary> {
  const base = await readBase(o.base)
  const config = studentConfig(base.config, o.shape)
  if (continuesText(config) !== (o.task === 'chat'))
    throw new DataError(`A model of form "${base.config.arch}" is not for --task ${o.task}.`)
  const task = o.task === 'chat' ? chatTask(base, config, o) : classifyTask(base, config, o)
  const {
    masters,
    precision: trained,
    reports,
  } = await trainLowbit({
    task,
    config,
    masters: studentWeights(config, base, o.seed),
    stages: stagesFor(o.bits, o.epochs),
    out: o.out,
    learningRate: o.learningRate,
    seed: o.seed,
    resume: o.resume,
    checkpointSeconds: o.checkpointSeconds,
    onProgress: o.onProgress,
    onStage: o.onStage,
  })
  const ints = integers(config, masters, trained)
  const precision = settled(trained, await task.measure(ints, trained, 1))
  const found = []
  for (const seed of [1, 2, 3]) found.push(await task.evaluate(ints, precision, seed))
  await task.close()
  const bundle = join(o.out, 'bundle')
  const about: About = {
    name: o.about.name ?? basename(o.out),
    description: o.about.description ?? `${base.about?.name ?? basename(o.base)}, in few bits.`,
    license: o.about.license ?? base.about?.license ?? 'unknown',
    source: o.about.source ?? base.about?.source ?? basename(o.data),
  }
  const hash = await exportLowbit(bundle, {
    config,
    masters,
    precision,
    tokenizer: base.tokenizer,
    chat: base.chat,
    about,
  })
  const accuracy = found.map(({ accuracy }) => accuracy).filter((a) => a !== undefined)
  return {
    bundle,
    hash,
    stages: reports,
    loss: found.map(({ loss }) => loss),
    ...(accuracy.length > 0 && { accuracy }),
  }
}

/** Tokens of a chat model's batch for each of `--batch`. */
const tokensOfExample = 16

function chatTask(base: Base, config: ModelConfig, o: LowbitOptions): LowbitTask {
  if (!base.config.tied)
    throw new DataError('A lowbit chat model needs a base whose output matrix is its embedding.')
  const tokenizer = new Tokenizer(base.tokenizer, {})
  const bos = specialId(tokenizer, '<|bos|>')
  const all = readDialogues(o.data)
  const { train, dev } = o.dev ? { train: all, dev: readDialogues(o.dev) } : holdOut(all, 0.1)
  return new LowbitChatTask({
    config,
    base,
    train: new Batches(encodeAll(train, tokenizer), bos, o.seed),
    dev: new Batches(encodeAll(dev, tokenizer), bos, 0),
    hiddenWeight: o.hiddenWeight,
    soft: o.soft,
    tokens: o.batch * tokensOfExample,
    threads: o.threads,
  })
}

function classifyTask(base: Base, config: ModelConfig, o: LowbitOptions): LowbitTask {
  const { head } = config
  if (head?.kind !== 'classify') throw new DataError('The base does not classify.')
  const all = readExamples(o.data)
  const parts = o.dev ? { train: all, dev: readExamples(o.dev) } : splitByLabel(all, 0.1, 1)
  const encoder = new EncoderTokenizer(base.tokenizer, config)
  const encode = (examples: Example[], path: string) => {
    const numbers = labelNumbers(examples, head.labels, path)
    return examples.map(({ text, pair }, i) => ({ text: encoder.encode(text, pair), label: numbers[i] }))
  }
  return new LowbitClassifyTask({
    config,
    base,
    train: encode(parts.train, o.data),
    dev: encode(parts.dev, o.dev ?? o.data),
    texts: o.texts
      .flatMap(readTexts)
      .map(([text, next]) => encoder.encode(text, head.pairs ? next : undefined)),
    pad: encoder.pad,
    mask: encoder.id('[MASK]') ?? encoder.id('<mask>'),
    wordDropout: o.wordDropout,
    hiddenWeight: o.hiddenWeight,
    soft: o.soft,
    batch: o.batch,
    seed: o.seed,
    threads: o.threads,
  })
}
