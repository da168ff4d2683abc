import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { softmax } from '../../src/model/math.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import type { Labelled } from '../finetune/classify-task.ts'
import type { Evaluation } from '../finetune/task.ts'
import { scatterEmbeddings } from '../onnx/scatter.ts'
import { openSession } from '../onnx/session.ts'
import { bucketOf, type Feeds, type TrainingText, textFeeds, weightFeeds } from '../pretrain/feeds.ts'
import { predictGraph, tableNames, teacherGraph, trainGraph } from './classify-graph.ts'
import { Extents } from './extents.ts'
import { type LengthBatch, lengthBatches } from './length-batches.ts'
import { noiseSize } from './lowbit-tape.ts'
import { noiseFeed } from './noise.ts'
import type { Precision } from './precision.ts'
import type { BatchResult, LowbitTask, Measured } from './task.ts'

export interface LowbitClassifyOptions {
  readonly config: ModelConfig
  readonly base: { config: ModelConfig; tensors: Tensors }
  readonly train: readonly Labelled[]
  /** Texts without labels, which the base alone teaches. */
  readonly texts: readonly TrainingText[]
  readonly dev: readonly Labelled[]
  readonly pad: number
  /** Id of the token that hides a word. */
  readonly mask?: number
  readonly wordDropout: number
  /** Weight of the teacher's last rows in the loss. */
  readonly hiddenWeight: number
  /** Part of the targets that are the teacher's probabilities; the rest is the data's label. */
  readonly soft: number
  readonly batch: number
  readonly seed: number
  readonly threads: number
}

/** The label of a text that has none. */
const UNKNOWN = -1

/** What a teacher says of a text: probabilities of labels, and its last rows at unit size. */
interface Lesson {
  readonly probabilities: Float32Array
  readonly rows: Float32Array
}

/** A lowbit encoder that learns to classify as its teacher does. */
export class LowbitClassifyTask implements LowbitTask {
  readonly config: ModelConfig
  readonly #o: LowbitClassifyOptions
  readonly #labels: number
  readonly #sessions = new Map<string, Promise<InferenceSession>>()
  /** What is learned from, with what was last said of it. */
  #examples: readonly Labelled[]
  #lessons: Lesson[] = []
  #epoch?: { seed: number; batches: LengthBatch[] }

  constructor(options: LowbitClassifyOptions) {
    const { config, train } = options
    this.#examples = train
    if (config.head?.kind !== 'classify') throw new Error('Training needs a classification head.')
    this.config = config
    this.#o = options
    this.#labels = config.head.labels.length
  }

  get perEpoch(): number {
    return this.#batches(0).length
  }

  async imitate(teacher: { tensors: Tensors; precision: Precision } | 'base'): Promise<void> {
    const { base, train, texts } = this.#o
    const isBase = teacher === 'base'
    this.#examples = isBase ? [...train, ...texts.map((text) => ({ text, label: UNKNOWN }))] : train
    this.#epoch = undefined
    const weights = weightFeeds(isBase ? base.tensors : this.#own(teacher.tensors))
    const lessons = new Map<number, Lesson>()
    for (const { length, numbers } of this.#batches(0)) {
      const key = isBase ? 'base' : 'student'
      const session = await this.#session(`teacher ${key}`, length, (size) =>
        isBase ? teacherGraph(base.config, size) : predictGraph(this.config, size, teacher.precision),
      )
      const feeds = this.#texts(
        numbers.map((i) => this.#examples[i]),
        length,
      )
      const found = await session.run({ ...feeds, ...weights })
      const logits = found.logits.data as Float32Array
      const hidden = found.hidden.data as Float32Array
      numbers.forEach((number, row) => {
        const from = row * length * this.config.dim
        const known = isBase ? undefined : this.#lessons[number]?.probabilities
        lessons.set(number, {
          // The base is the better judge of labels; of rows, only the same form is.
          probabilities:
            known ?? probabilitiesOf(logits.subarray(row * this.#labels, (row + 1) * this.#labels)),
          rows: hidden.slice(from, from + this.#examples[number].text.ids.length * this.config.dim),
        })
      })
    }
    this.#lessons = this.#examples.map((_, i) => lessons.get(i)!)
  }

  async gradient(
    ints: Tensors,
    p: Precision,
    { stage, step }: { stage: number; step: number },
  ): Promise<BatchResult> {
    const first = this.#o.seed * 1_000_003 + stage * 100_003
    const { perEpoch } = this
    const seed = first + Math.floor(step / perEpoch)
    if (this.#epoch?.seed !== seed) this.#epoch = { seed, batches: this.#batches(seed) }
    const { length, numbers } = this.#epoch.batches[step % perEpoch]
    const random = new PredictableRandom(first + step)
    const session = await this.#session(`train ${JSON.stringify(p)}`, length, (size) =>
      trainGraph(this.config, size, p),
    )
    const hidden = numbers.map((i) => this.#hide(this.#examples[i], random))
    const feeds = {
      ...this.#texts(hidden, length),
      ...this.#targets(numbers, length),
      ...this.#noise(p, length, 2 * first + step),
    }
    const results = await session.run({ ...feeds, ...weightFeeds(this.#own(ints)) })
    const values = (name: string) => results[name].data as Float32Array
    const gradients = new Map<string, Float32Array>()
    const tables = tableNames(this.config)
    for (const name of tensorShapes(this.config).keys())
      gradients.set(
        name,
        tables.includes(name) ? new Float32Array(ints.get(name)!.data.length) : values(`d ${name}`),
      )
    scatterEmbeddings(this.config, gradients, values('d embedded'), feeds, length)
    const losses = values('losses')
    const loss = numbers.reduce((sum, _, row) => sum + losses[row], 0) / numbers.length
    return { loss, gradients }
  }

  async evaluate(ints: Tensors, p: Precision, seed: number): Promise<Evaluation> {
    const { dev } = this.#o
    let loss = 0
    let right = 0
    await this.#predict(dev, ints, p, seed, (found, numbers) => {
      numbers.forEach((number, row) => {
        const logits = (found.logits.data as Float32Array).subarray(
          row * this.#labels,
          (row + 1) * this.#labels,
        )
        const all = probabilitiesOf(logits)
        const { label } = dev[number]
        loss -= Math.log(Math.max(all[label], 1e-30)) / dev.length
        if (all.indexOf(Math.max(...all)) === label) right++
      })
    })
    return { loss, accuracy: right / dev.length }
  }

  async measure(ints: Tensors, p: Precision, seed: number): Promise<Measured> {
    const extents = new Extents()
    await this.#predict(this.#o.dev, ints, p, seed, (found) => extents.add(found))
    return extents.measured
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release()
    this.#sessions.clear()
  }

  async #predict(
    items: readonly Labelled[],
    ints: Tensors,
    p: Precision,
    seed: number,
    use: (found: InferenceSession.OnnxValueMapType, numbers: readonly number[]) => void,
  ): Promise<void> {
    const weights = weightFeeds(this.#own(ints))
    const lengths = items.map(({ text }) => bucketOf(text.ids.length, this.config.context))
    for (const [i, { length, numbers }] of lengthBatches(lengths, this.#o.batch, 0).entries()) {
      const session = await this.#session(`predict ${JSON.stringify(p)}`, length, (size) =>
        predictGraph(this.config, size, p),
      )
      const texts = this.#texts(
        numbers.map((number) => items[number]),
        length,
      )
      use(
        await session.run({ ...texts, ...this.#noise(p, length, seed * 3_000_017 + i), ...weights }),
        numbers,
      )
    }
  }

  #batches(seed: number): LengthBatch[] {
    const lengths = this.#examples.map(({ text }) => bucketOf(text.ids.length, this.config.context))
    return lengthBatches(lengths, this.#o.batch, seed)
  }

  /** The model's own tensors: the steps are no part of it. */
  #own(tensors: Tensors): Tensors {
    return new Map([...tensorShapes(this.config).keys()].map((name) => [name, tensors.get(name)!]))
  }

  #session(
    kind: string,
    length: number,
    graph: (size: readonly [number, number]) => Uint8Array,
  ): Promise<InferenceSession> {
    const key = `${kind} ${length}`
    const known = this.#sessions.get(key) ?? openSession(graph([this.#o.batch, length]), this.#o.threads)
    this.#sessions.set(key, known)
    return known
  }

  #texts(items: readonly Labelled[], length: number): Feeds {
    return textFeeds(
      items.map(({ text }) => text),
      this.#o.batch,
      length,
      this.#o.pad,
    )
  }

  #noise(p: Precision, length: number, seed: number): Feeds {
    return p.isRounded ? { noise: noiseFeed(noiseSize(this.config, [this.#o.batch, length]), seed) } : {}
  }

  #hide(item: Labelled, random: PredictableRandom): Labelled {
    const { wordDropout, mask } = this.#o
    if (wordDropout === 0 || mask === undefined) return item
    const ids = item.text.ids.map((id, i) => (i > 0 && random.uniform() < wordDropout ? mask : id))
    return { ...item, text: { ...item.text, ids } }
  }

  #targets(numbers: readonly number[], length: number): Feeds {
    const { batch, soft, hiddenWeight } = this.#o
    const examples = this.#examples
    const { dim } = this.config
    const targets = new Float32Array(batch * this.#labels)
    const weights = new Float32Array(batch)
    const rows = new Float32Array(batch * length * dim)
    const rowWeights = new Float32Array(batch * length)
    const tokens = numbers.reduce((sum, i) => sum + examples[i].text.ids.length, 0)
    numbers.forEach((number, row) => {
      const { label, text } = examples[number]
      const lesson = this.#lessons[number]
      weights[row] = 1 / numbers.length
      const share = label === UNKNOWN ? 1 : soft
      for (let i = 0; i < this.#labels; i++)
        targets[row * this.#labels + i] = share * lesson.probabilities[i] + (i === label ? 1 - share : 0)
      rows.set(lesson.rows, row * length * dim)
      rowWeights.fill(hiddenWeight / tokens, row * length, row * length + text.ids.length)
    })
    return {
      targets: new OrtTensor('float32', targets, [batch, this.#labels]),
      weights: new OrtTensor('float32', weights, [batch, 1]),
      rows: new OrtTensor('float32', rows, [batch * length, dim]),
      'row weights': new OrtTensor('float32', rowWeights, [batch * length, 1]),
    }
  }
}

function probabilitiesOf(logits: Float32Array): Float32Array {
  const all = logits.slice()
  softmax(all)
  return all
}
