/** Trains a small LLaVA on collages of garments, with the project's own tape. */
import type { Tokenizer } from '@huggingface/tokenizers'
import type { InferenceSession } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { type LlavaConfig, llavaTensors, TEXT } from '../../src/model/pictures/llava.ts'
import type { Normalising } from '../../src/model/pictures/patches.ts'
import type { TowerConfig } from '../../src/model/pictures/tower.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { scatterEmbeddings } from '../onnx/scatter.ts'
import { openSession } from '../onnx/session.ts'
import { type Feeds, weightFeeds } from '../pretrain/feeds.ts'
import { AdamW, type AdamWOptions, learningRate } from '../train/adamw.ts'
import { type CollageSource, collageFeeds, readingFeeds } from './collage-batches.ts'
import type { LabelledPictures } from './fashion.ts'
import { gradientsOf } from './gradients.ts'
import { initialTensors } from './initial.ts'
import { startFromVit } from './llava-start.ts'
import { readingGraph, seeingGraph, seeingTensors } from './reading-graph.ts'

export interface LlavaTrainOptions {
  readonly config: LlavaConfig
  readonly normal: Normalising
  readonly tokenizer: Tokenizer
  readonly pictures: LabelledPictures
  /** How many classes the pictures have. */
  readonly labels: number
  /** What the tower begins as. */
  readonly vit: { readonly config: TowerConfig; readonly tensors: Tensors }
  /** Of wall time: of the tower alone, and of the whole. */
  readonly minutes: { readonly seeing: number; readonly reading: number }
  readonly peakLearningRate: number
  readonly seed: number
  readonly threads: number
  /** Every 50 steps. */
  readonly onProgress?: (progress: LlavaProgress, weights: Tensors) => void
}

export interface LlavaProgress {
  readonly stage: 'seeing' | 'reading'
  readonly step: number
  /** Mean since the last report, in nats: of telling the quarters' garments, and for each token of answers. */
  readonly quarterLoss: number
  readonly loss?: number
  readonly minutes: number
}

const optimizer: AdamWOptions = { beta1: 0.9, beta2: 0.98, eps: 1e-8, weightDecay: 0.05, clip: 1 }
const EXAMPLES = { seeing: 32, reading: 8 }
const TOKENS = 128
const REPORT = 50

/** Resolves with the weights, by the names of Hugging Face's files. */
export async function trainLlava(o: LlavaTrainOptions): Promise<Tensors> {
  const { config, labels } = o
  const source: CollageSource = { ...o, random: new PredictableRandom(o.seed) }
  const depth = 1 / Math.sqrt(2 * config.text.layers)
  const weights = initialTensors(
    new Map([
      ...seeingTensors(config, labels),
      ...[...llavaTensors(config)].map(([name, shape]): [string, number[]] => [inTraining(name), shape]),
    ]),
    o.seed,
    { names: /(o_proj|down_proj)\.weight$/, by: depth },
  )
  startFromVit(weights, config, o.vit.tensors, o.vit.config)
  const seeing: Tensors = new Map([...seeingTensors(config, labels).keys()].map((n) => [n, weights.get(n)!]))
  await stage(
    o,
    'seeing',
    seeing,
    seeingGraph(config, labels, EXAMPLES.seeing),
    () => collageFeeds(source, EXAMPLES.seeing).feeds,
  )
  const sizes = { examples: EXAMPLES.reading, tokens: TOKENS }
  await stage(o, 'reading', weights, readingGraph(config, labels, sizes), () =>
    readingFeeds(source, o.tokenizer, sizes),
  )
  return new Map(
    [...llavaTensors(config).keys()].map((name) => [name, weights.get(inTraining(name))!] as const),
  )
}

const inTraining = (name: string): string => (name.startsWith(TEXT) ? name.slice(TEXT.length) : name)

async function stage(
  o: LlavaTrainOptions,
  name: LlavaProgress['stage'],
  weights: Tensors,
  graph: Uint8Array,
  batch: () => Feeds,
): Promise<void> {
  const session = await openSession(graph, o.threads)
  const adam = new AdamW(weights, optimizer)
  const began = performance.now()
  const sums = { loss: 0, quarters: 0 }
  for (let step = 1; ; step++) {
    const minutes = (performance.now() - began) / 60_000
    if (minutes >= o.minutes[name]) break
    const feeds = batch()
    const results = await session.run({ ...feeds, ...weightFeeds(weights) })
    adam.update(
      gradients(o.config, results, weights, feeds),
      learningRate(minutes / o.minutes[name], o.peakLearningRate),
    )
    sums.quarters += mean(results['quarter loss'].data as Float32Array)
    if (results.loss) sums.loss += weighted(results.loss.data as Float32Array, feeds)
    if (step % REPORT > 0) continue
    const loss = results.loss ? { loss: sums.loss / REPORT } : {}
    o.onProgress?.({ stage: name, step, quarterLoss: sums.quarters / REPORT, ...loss, minutes }, weights)
    sums.loss = sums.quarters = 0
  }
  await session.release()
}

function gradients(
  { text }: LlavaConfig,
  results: InferenceSession.ReturnType,
  weights: Tensors,
  feeds: Feeds,
): Map<string, Float32Array> {
  const embedded = results['d embedded']
  if (!embedded) return gradientsOf(results, weights)
  const table = 'model.embed_tokens.weight'
  const others: Tensors = new Map(weights)
  others.delete(table)
  const all = gradientsOf(results, others)
  all.set(table, new Float32Array(weights.get(table)!.data.length))
  scatterEmbeddings(text, all, embedded.data as Float32Array, feeds, feeds.ids.dims[0])
  return all
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length

const weighted = (loss: Float32Array, feeds: Feeds): number => {
  const weights = feeds.weights.data as Float32Array
  return loss.reduce((sum, value, i) => sum + value * weights[i], 0)
}
