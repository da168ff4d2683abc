import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { PredictableRandom } from '../../src/model/random.ts'
import { scatterEmbeddings } from '../onnx/scatter.ts'
import { openSession } from '../onnx/session.ts'
import { bucketOf, type Feeds, type TrainingText, textFeeds, weightFeeds } from '../pretrain/feeds.ts'
import { classifyGraph, type GraphKind } from './classify-graph.ts'
import type { Evaluation, GradientSum, Task } from './task.ts'

/** A text with its right label, or with probabilities of all labels where a teacher gave them. */
export interface Labelled {
  text: TrainingText
  label: number
  soft?: Float32Array
}

export interface ClassifyOptions {
  config: ModelConfig
  /** All tensors; the trained ones are changed in place. */
  tensors: Tensors
  trained: ReadonlySet<string>
  train: Labelled[]
  dev: Labelled[]
  /** Ids of padding and of the token that hides a word. */
  pad: number
  mask?: number
  /** Share of tokens that are hidden at random while training. */
  wordDropout?: number
  /** Part of the target that all labels share. */
  smoothing?: number
  /** Tokens in a run of the graph, padding included: bounds memory. */
  tokens?: number
  threads?: number
}

/** Fine-tunes an encoder with a classification head. */
export class ClassifyTask implements Task {
  readonly trained: Tensors
  readonly #o: ClassifyOptions
  readonly #labels: number
  readonly #sessions = new Map<string, Promise<InferenceSession>>()

  constructor(options: ClassifyOptions) {
    this.#o = options
    const { head } = options.config
    if (head?.kind !== 'classify') throw new Error('Fine-tuning needs a classification head.')
    this.#labels = head.labels.length
    this.trained = new Map([...options.tensors].filter(([name]) => options.trained.has(name)))
  }

  get examples(): number {
    return this.#o.train.length
  }

  async gradient(
    examples: ArrayLike<number>,
    { clip, random }: { clip?: number; random: PredictableRandom },
  ): Promise<GradientSum> {
    const { train, tensors, config } = this.#o
    const sums = new Map([...this.trained].map(([name, { data }]) => [name, new Float32Array(data.length)]))
    const total: GradientSum = { sums, loss: 0, clipped: 0 }
    const weights = weightFeeds(tensors)
    const chosen = Array.from(examples, (number) => this.#hide(train[number], random))
    for (const { texts, length, rows } of this.#runs(chosen)) {
      const session = await this.#session(clip === undefined ? 'sum' : 'clip', rows, length)
      const feeds = this.#feeds(texts, rows, length)
      if (clip !== undefined) feeds.clip = new OrtTensor('float32', Float32Array.of(clip), [])
      const results = await session.run({ ...feeds, ...weights })
      const values = (name: string) => results[name].data as Float32Array
      for (const [name, sum] of sums) if (results[`d ${name}`]) addTo(sum, values(`d ${name}`))
      if (results['d embedded']) scatterEmbeddings(config, sums, values('d embedded'), feeds, length)
      for (let i = 0; i < texts.length; i++) {
        total.loss += values('losses')[i]
        if (clip !== undefined && values('norms')[i] > clip) total.clipped++
      }
    }
    return total
  }

  async evaluate(values: ReadonlyMap<string, Float32Array>): Promise<Evaluation> {
    const { dev } = this.#o
    let loss = 0
    let right = 0
    const all = await this.predict(dev, values)
    dev.forEach(({ label }, i) => {
      loss -= Math.log(Math.max(all[i][label], 1e-30))
      if (all[i].indexOf(Math.max(...all[i])) === label) right++
    })
    return { loss: loss / dev.length, accuracy: right / dev.length }
  }

  /** Probabilities of the labels for each text, with the given values in place of the trained tensors'. */
  async predict(items: Labelled[], values: ReadonlyMap<string, Float32Array>): Promise<Float32Array[]> {
    const { tensors } = this.#o
    const now: Tensors = new Map(
      [...tensors].map(([name, t]) => [name, { shape: t.shape, data: values.get(name) ?? t.data }]),
    )
    const weights = weightFeeds(now)
    const out = new Map<Labelled, Float32Array>()
    for (const { texts, length, rows } of this.#runs(items)) {
      const session = await this.#session('predict', rows, length)
      const { ids, types, mask } = this.#feeds(texts, rows, length)
      const results = await session.run({ ids, types, mask, ...weights })
      const logits = results.logits.data as Float32Array
      texts.forEach((item, row) => {
        out.set(item, softmax(logits.subarray(row * this.#labels, (row + 1) * this.#labels)))
      })
    }
    return items.map((item) => out.get(item)!)
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release()
    this.#sessions.clear()
  }

  /** Groups of texts of similar length, each with the shape of the graph that it is for. */
  #runs(items: Labelled[]): Array<{ texts: Labelled[]; length: number; rows: number }> {
    const { config, tokens = 2048 } = this.#o
    const byLength = new Map<number, Labelled[]>()
    for (const item of items) {
      const length = bucketOf(item.text.ids.length, config.context)
      const same = byLength.get(length)
      if (same) same.push(item)
      else byLength.set(length, [item])
    }
    return [...byLength].flatMap(([length, texts]) => {
      const most = Math.max(1, Math.floor(tokens / length))
      return Array.from({ length: Math.ceil(texts.length / most) }, (_, i) => {
        const part = texts.slice(i * most, (i + 1) * most)
        // Few sizes, so that few graphs are compiled.
        const rows = [1 / 8, 1 / 4, 1 / 2, 1].map((p) => Math.ceil(p * most)).find((n) => n >= part.length)!
        return { texts: part, length, rows }
      })
    })
  }

  #session(kind: GraphKind, rows: number, length: number): Promise<InferenceSession> {
    const key = `${kind} ${rows} ${length}`
    let known = this.#sessions.get(key)
    if (!known) {
      const graph = classifyGraph(this.#o.config, rows, length, kind, this.#o.trained)
      known = openSession(graph, this.#o.threads ?? 1)
      this.#sessions.set(key, known)
    }
    return known
  }

  #hide(item: Labelled, random: PredictableRandom): Labelled {
    const { wordDropout = 0, mask } = this.#o
    if (wordDropout === 0 || mask === undefined) return item
    const { ids, types } = item.text
    // The first token is what the pooler reads, and stays.
    const hidden = ids.map((id, i) => (i > 0 && random.uniform() < wordDropout ? mask : id))
    return { ...item, text: { ids: hidden, types } }
  }

  #feeds(items: Labelled[], rows: number, length: number): Feeds {
    const { pad, smoothing = 0 } = this.#o
    const targets = new Float32Array(rows * this.#labels)
    const weights = new Float32Array(rows)
    items.forEach(({ label, soft }, row) => {
      weights[row] = 1
      for (let i = 0; i < this.#labels; i++) {
        const target = soft ? soft[i] : i === label ? 1 : 0
        targets[row * this.#labels + i] = (1 - smoothing) * target + smoothing / this.#labels
      }
    })
    return {
      ...textFeeds(
        items.map(({ text }) => text),
        rows,
        length,
        pad,
      ),
      targets: new OrtTensor('float32', targets, [rows, this.#labels]),
      weights: new OrtTensor('float32', weights, [rows, 1]),
    }
  }
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i]
}

function softmax(logits: Float32Array): Float32Array {
  const top = Math.max(...logits)
  const powers = logits.map((x) => Math.exp(x - top))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((x) => x / sum)
}
