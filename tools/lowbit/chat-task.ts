import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import type { Evaluation } from '../finetune/task.ts'
import { scatterEmbeddings } from '../onnx/scatter.ts'
import { openSession } from '../onnx/session.ts'
import { type Feeds, weightFeeds } from '../pretrain/feeds.ts'
import type { Batches } from '../train/batches.ts'
import type { Batch } from '../train/gradient.ts'
import { predictGraph, teacherGraph, trainGraph } from './chat-graph.ts'
import { Extents } from './extents.ts'
import { noiseSize } from './lowbit-tape.ts'
import { noiseFeed } from './noise.ts'
import type { Precision } from './precision.ts'
import type { BatchResult, LowbitTask, Measured } from './task.ts'

export interface LowbitChatOptions {
  readonly config: ModelConfig
  readonly base: { config: ModelConfig; tensors: Tensors }
  readonly train: Batches
  readonly dev: Batches
  /** Weight of the base's last rows in the loss. */
  readonly hiddenWeight: number
  /** Part of what is learned that is the base's probabilities, in place of the text. */
  readonly soft: number
  /** Tokens of a batch. */
  readonly tokens: number
  readonly threads: number
}

/** Lengths of windows, in turn: mostly short ones, and some that keep far positions in practice. */
const lengths = [128, 128, 128, 256]
/** Windows that are measured. */
const measured = 24

/** A lowbit chat model that learns a text, and what its base makes of it: last rows and probabilities. */
export class LowbitChatTask implements LowbitTask {
  readonly config: ModelConfig
  readonly #o: LowbitChatOptions
  readonly #sessions = new Map<string, Promise<InferenceSession>>()

  constructor(options: LowbitChatOptions) {
    this.config = options.config
    this.#o = options
  }

  get perEpoch(): number {
    return Math.ceil(this.#o.train.stream.length / this.#o.tokens)
  }

  /** The base is asked at every step: what it says of all the text would not fit in memory. */
  async imitate(): Promise<void> {}

  async gradient(ints: Tensors, p: Precision, at: { stage: number; step: number }): Promise<BatchResult> {
    const step = at.stage * 1_000_003 + at.step
    const length = lengths[step % lengths.length]
    const batch = this.#o.train.at(step, Math.max(1, Math.floor(this.#o.tokens / length)), length)
    const { base, hiddenWeight, soft } = this.#o
    const feeds = textFeeds(batch)
    const size = [batch.rows, length] as const
    const teacher = await this.#session('teacher', size, () => teacherGraph(base.config, size))
    const { hidden, probabilities } = await teacher.run({ ids: feeds.ids, ...weightFeeds(base.tensors) })
    const session = await this.#session(`train ${JSON.stringify(p)}`, size, () =>
      trainGraph(this.config, size, p, soft),
    )
    const n = batch.rows * length
    const results = await session.run({
      ...feeds,
      rows: hidden,
      probabilities,
      'row weights': new OrtTensor('float32', new Float32Array(n).fill(hiddenWeight / n), [n, 1]),
      ...this.#noise(p, size, step),
      ...weightFeeds(this.#own(ints)),
    })
    const values = (name: string) => results[name].data as Float32Array
    const gradients = new Map<string, Float32Array>()
    for (const name of tensorShapes(this.config).keys()) gradients.set(name, values(`d ${name}`))
    scatterEmbeddings(this.config, gradients, values('d embedded'), feeds, length)
    return { loss: mean(values('losses')), gradients }
  }

  async evaluate(ints: Tensors, p: Precision, seed: number): Promise<Evaluation> {
    let loss = 0
    await this.#predict(ints, p, seed, (found) => {
      loss += mean(found.losses.data as Float32Array) / measured
    })
    return { loss }
  }

  async measure(ints: Tensors, p: Precision, seed: number): Promise<Measured> {
    const extents = new Extents()
    await this.#predict(ints, p, seed, (found) => extents.add(found))
    return extents.measured
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release()
    this.#sessions.clear()
  }

  async #predict(
    ints: Tensors,
    p: Precision,
    seed: number,
    use: (found: InferenceSession.OnnxValueMapType) => void,
  ): Promise<void> {
    const weights = weightFeeds(this.#own(ints))
    const size = [Math.max(1, Math.floor(this.#o.tokens / 256)), 256] as const
    const session = await this.#session(`predict ${JSON.stringify(p)}`, size, () =>
      predictGraph(this.config, size, p),
    )
    for (let i = 0; i < measured; i++) {
      const noise = this.#noise(p, size, seed * 3_000_017 + i)
      use(await session.run({ ...textFeeds(this.#o.dev.at(i, ...size)), ...noise, ...weights }))
    }
  }

  #own(tensors: Tensors): Tensors {
    return new Map([...tensorShapes(this.config).keys()].map((name) => [name, tensors.get(name)!]))
  }

  #session(kind: string, size: readonly number[], graph: () => Uint8Array): Promise<InferenceSession> {
    const key = `${kind} ${size}`
    const known = this.#sessions.get(key) ?? openSession(graph(), this.#o.threads)
    this.#sessions.set(key, known)
    return known
  }

  #noise(p: Precision, size: readonly [number, number], seed: number): Feeds {
    return p.isRounded ? { noise: noiseFeed(noiseSize(this.config, size), seed) } : {}
  }
}

function textFeeds({ rows, length, ids }: Batch): Feeds {
  const from = (shift: number): BigInt64Array =>
    BigInt64Array.from({ length: rows * length }, (_, at) =>
      BigInt(ids[Math.floor(at / length) * (length + 1) + (at % length) + shift]),
    )
  return {
    ids: new OrtTensor('int64', from(0), [rows * length]),
    targets: new OrtTensor('int64', from(1), [rows * length, 1]),
  }
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length
