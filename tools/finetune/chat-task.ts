import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { isOfLayer } from '../../src/model/graph/tensors.ts'
import type { PredictableRandom } from '../../src/model/random.ts'
import { openSession } from '../onnx/session.ts'
import { type Feeds, weightFeeds } from '../pretrain/feeds.ts'
import { chatGraph } from './chat-graph.ts'
import type { GraphKind } from './classify-graph.ts'
import type { Evaluation, GradientSum, Task } from './task.ts'

export interface ChatOptions {
  config: ModelConfig
  /** All tensors; the trained ones are changed in place. */
  tensors: Tensors
  /** Adapters and other tensors of the layers; an embedding table cannot be among them. */
  trained: ReadonlySet<string>
  /** Token ids of dialogues, cut to the model's context. */
  train: ArrayLike<number>[]
  dev: ArrayLike<number>[]
  /** Learn and measure replies only: what follows the first of these ids, up to the second. Otherwise all is. */
  replies?: { begin: number; end: number }
  /** Tokens in a run of the graph, padding included: bounds memory. */
  tokens?: number
  threads?: number
}

/** Padded length: a multiple of 16, of long dialogues of 64, so that few graphs are compiled. */
const paddedLength = (tokens: number, context: number): number => {
  const step = tokens > 128 ? 64 : 16
  return Math.min(context, step * Math.ceil(tokens / step))
}

/** For each predicted token, which is the next one's place less one, whether it is learned and measured. */
export function counted(ids: ArrayLike<number>, replies: ChatOptions['replies']): boolean[] {
  let isReply = false
  return Array.from({ length: ids.length - 1 }, (_, i) => {
    if (!replies) return true
    if (ids[i] === replies.begin) isReply = true
    else if (ids[i] === replies.end) isReply = false
    return isReply
  })
}

/** One run of the graph: dialogues of similar length. */
interface Run {
  numbers: number[]
  length: number
  rows: number
}

/**
 * Fine-tunes a chat model. One example, and so what a private run protects, is one whole dialogue; its loss is the mean
 * over its tokens, or over those of its replies.
 */
export class ChatTask implements Task {
  readonly trained: Tensors
  readonly #o: ChatOptions
  readonly #sessions = new Map<string, Promise<InferenceSession>>()

  /** Throws for embedding tables among the trained tensors, and for dialogues of fewer than two tokens. */
  constructor(options: ChatOptions) {
    this.#o = options
    const { config, trained, tensors, train, dev } = options
    const outside = [...trained].find((name) => !isOfLayer(config, name))
    if (outside) throw new Error(`"${outside}" cannot be trained here: only tensors of the layers can.`)
    if ([...train, ...dev].some(({ length }) => length < 2))
      throw new RangeError('A dialogue needs two tokens at least, or nothing is predicted.')
    this.trained = new Map([...tensors].filter(([name]) => trained.has(name)))
  }

  get examples(): number {
    return this.#o.train.length
  }

  /** Tokens that are measured in the held-out dialogues. */
  get heldOutTokens(): number {
    const { dev, replies } = this.#o
    return dev.reduce((sum, ids) => sum + counted(ids, replies).filter(Boolean).length, 0)
  }

  async gradient(
    examples: ArrayLike<number>,
    { clip }: { clip?: number; random: PredictableRandom },
  ): Promise<GradientSum> {
    const { train, tensors } = this.#o
    const sums = new Map([...this.trained].map(([name, { data }]) => [name, new Float32Array(data.length)]))
    const total: GradientSum = { sums, loss: 0, clipped: 0 }
    const weights = weightFeeds(tensors)
    const chosen = Array.from(examples, (number) => train[number])
    for (const run of this.#runs(chosen)) {
      const session = await this.#session(clip === undefined ? 'sum' : 'clip', run)
      const feeds = chatFeeds(chosen, run, 'mean', this.#o.replies)
      if (clip !== undefined) feeds.clip = new OrtTensor('float32', Float32Array.of(clip), [])
      const results = await session.run({ ...feeds, ...weights })
      const values = (name: string) => results[name].data as Float32Array
      for (const [name, sum] of sums) {
        const part = values(`d ${name}`)
        for (let i = 0; i < sum.length; i++) sum[i] += part[i]
      }
      run.numbers.forEach((_, row) => {
        total.loss += values('losses')[row]
        if (clip !== undefined && values('norms')[row] > clip) total.clipped++
      })
    }
    return total
  }

  /** Mean nats for each token of the held-out dialogues; its power of e is the perplexity. */
  async evaluate(values: ReadonlyMap<string, Float32Array>): Promise<Evaluation> {
    const { dev } = this.#o
    const nats = await this.nats(dev, values)
    return { loss: nats.reduce((a, b) => a + b, 0) / this.heldOutTokens }
  }

  /** Nats of each dialogue, summed over its tokens, with the given values in place of the trained tensors'. */
  async nats(
    dialogues: ArrayLike<number>[],
    values: ReadonlyMap<string, Float32Array>,
  ): Promise<Float64Array> {
    const now: Tensors = new Map(
      [...this.#o.tensors].map(([name, t]) => [name, { shape: t.shape, data: values.get(name) ?? t.data }]),
    )
    const weights = weightFeeds(now)
    const out = new Float64Array(dialogues.length)
    for (const run of this.#runs(dialogues)) {
      const session = await this.#session('predict', run)
      const results = await session.run({ ...chatFeeds(dialogues, run, 'sum', this.#o.replies), ...weights })
      run.numbers.forEach((number, row) => {
        out[number] = (results.losses.data as Float32Array)[row]
      })
    }
    return out
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release()
    this.#sessions.clear()
  }

  #runs(dialogues: ArrayLike<number>[]): Run[] {
    const { config, tokens = 512 } = this.#o
    const byLength = new Map<number, number[]>()
    dialogues.forEach((ids, number) => {
      const length = paddedLength(ids.length - 1, config.context)
      byLength.set(length, [...(byLength.get(length) ?? []), number])
    })
    return [...byLength].flatMap(([length, numbers]) => {
      const most = Math.max(1, Math.floor(tokens / length))
      return Array.from({ length: Math.ceil(numbers.length / most) }, (_, i) => {
        const part = numbers.slice(i * most, (i + 1) * most)
        const rows = [1 / 4, 1 / 2, 1].map((p) => Math.ceil(p * most)).find((n) => n >= part.length)!
        return { numbers: part, length, rows }
      })
    })
  }

  #session(kind: GraphKind, { rows, length }: Run): Promise<InferenceSession> {
    const key = `${kind} ${rows} ${length}`
    let known = this.#sessions.get(key)
    if (!known) {
      const { config, trained, threads = 1 } = this.#o
      known = openSession(chatGraph(config, rows, length, kind, trained), threads)
      this.#sessions.set(key, known)
    }
    return known
  }
}

/** Inputs of a run; each dialogue's token weights sum to 1, or are 1 each. */
function chatFeeds(
  dialogues: ArrayLike<number>[],
  { numbers, length, rows }: Run,
  weigh: 'mean' | 'sum',
  replies: ChatOptions['replies'],
): Feeds {
  const ids = new BigInt64Array(rows * length)
  const targets = new BigInt64Array(rows * length)
  const weights = new Float32Array(rows * length)
  numbers.forEach((number, row) => {
    const dialogue = dialogues[number]
    const counts = counted(dialogue, replies).slice(0, length)
    const weight = weigh === 'mean' ? 1 / Math.max(1, counts.filter(Boolean).length) : 1
    for (let i = 0; i < counts.length; i++) {
      const at = row * length + i
      ids[at] = BigInt(dialogue[i])
      targets[at] = BigInt(dialogue[i + 1])
      if (counts[i]) weights[at] = weight
    }
  })
  const n = rows * length
  return {
    ids: new OrtTensor('int64', ids, [n]),
    targets: new OrtTensor('int64', targets, [n, 1]),
    weights: new OrtTensor('float32', weights, [n, 1]),
  }
}
