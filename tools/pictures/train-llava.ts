/** Trains a small LLaVA on collages of garments, with the project's own tape. */
import { join } from 'node:path'
import type { Tokenizer } from '@huggingface/tokenizers'
import type { InferenceSession } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { type LlavaConfig, llavaTensors, TEXT, TOWER } from '../../src/model/pictures/llava.ts'
import type { Normalising } from '../../src/model/pictures/patches.ts'
import type { TowerConfig } from '../../src/model/pictures/tower.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { scatterEmbeddings } from '../onnx/scatter.ts'
import type { Feeds } from '../pretrain/feeds.ts'
import { type CollageSource, collageFeeds, everyKind, naming, readingBatch } from './collage-batches.ts'
import type { LabelledPictures } from './fashion.ts'
import { initialTensors } from './initial.ts'
import { startFromVit } from './llava-start.ts'
import { learningGraph, quarterHead, seeingGraph, seeingTensors } from './reading-graph.ts'
import { gradientsOf, type Length, meanOf, runStage, type StageProgress } from './stage.ts'

export interface LlavaTrainOptions {
  readonly config: LlavaConfig
  readonly normal: Normalising
  readonly tokenizer: Tokenizer
  readonly pictures: LabelledPictures
  /** How many classes the pictures have. */
  readonly labels: number
  /** What the tower begins as. */
  readonly vit: { readonly config: TowerConfig; readonly tensors: Tensors }
  /** Folder for the stages' checkpoints, from which a training goes on. */
  readonly out: string
  /** Of the tower alone; of the whole that names garments; and of the whole that answers questions of every kind. */
  readonly length: Readonly<Record<'seeing' | 'naming' | 'reading', Length>>
  readonly peakLearningRate: number
  readonly seed: number
  readonly threads: number
  readonly onProgress?: (progress: StageProgress) => void
}

const EXAMPLES = { seeing: 32, reading: 4 }
/** Of the tower's learning rate, once it has learned to see: what the text model has found in its rows must stay there. */
const TOWER_RATE = 0.1
const TOKENS = 128
const TABLE = 'model.embed_tokens.weight'
const TABLE_SCALE = 25

/** Resolves with the weights, by the names of Hugging Face's files. */
export async function trainLlava(o: LlavaTrainOptions): Promise<Tensors> {
  const { config, labels } = o
  const source = (step: number): CollageSource => ({
    ...o,
    random: new PredictableRandom(o.seed * 1_000_003 + step),
    isVaried: true,
  })
  const tower = await runStage({
    ...o,
    name: 'seeing',
    length: o.length.seeing,
    graph: seeingGraph(config, labels, EXAMPLES.seeing),
    weights: startOfTower(o),
    checkpoint: join(o.out, 'seeing-checkpoint.safetensors'),
    batch: (step) => collageFeeds(source(step), EXAMPLES.seeing).feeds,
    losses: (results) => ({ quarter: meanOf(results['quarter loss']) }),
  })
  const sizes = { examples: EXAMPLES.reading, tokens: TOKENS }
  const graph = learningGraph(config, labels, sizes)
  const whole = (name: 'naming' | 'reading', weights: Tensors): Promise<Tensors> =>
    runStage({
      ...o,
      ...{ name, graph, weights, length: o.length[name] },
      checkpoint: join(o.out, `${name}-checkpoint.safetensors`),
      batch: (step) =>
        readingBatch(source(step), o.tokenizer, sizes, name === 'naming' ? naming : everyKind).feeds,
      rate: (weight) => (weight.startsWith(TOWER) || weight.startsWith(quarterHead) ? TOWER_RATE : 1),
      losses: (results, feeds) => ({
        quarter: meanOf(results['quarter loss']),
        token: weighted(results.loss.data as Float32Array, feeds),
      }),
      gradients: (results, feeds) => gradients(o, results, feeds),
    })
  const weights = await whole('reading', await whole('naming', startOfWhole(o, tower)))
  return new Map(
    [...llavaTensors(config).keys()].map((name) => [name, weights.get(inTraining(name))!] as const),
  )
}

/** The text model's tensors have no prefix while it learns. */
export const inTraining = (name: string): string => (name.startsWith(TEXT) ? name.slice(TEXT.length) : name)

function startOfTower(o: LlavaTrainOptions): Tensors {
  const weights = initialTensors(seeingTensors(o.config, o.labels), o.seed, { names: /^$/, by: 1 })
  startFromVit(weights, o.config, o.vit.tensors, o.vit.config)
  return weights
}

/** In the order of the graph's weights. */
function startOfWhole(o: LlavaTrainOptions, tower: Tensors): Tensors {
  const shapes = [...llavaTensors(o.config)].map(([name, shape]): [string, number[]] => [
    inTraining(name),
    shape,
  ])
  const damped = { names: /(o_proj|down_proj)\.weight$/, by: 1 / Math.sqrt(2 * o.config.text.layers) }
  const all = initialTensors(new Map(shapes), o.seed, damped)
  // Tokens are read beside a picture's rows, which are larger than a table's usually are.
  const table = all.get(TABLE)!.data
  for (let i = 0; i < table.length; i++) table[i] *= TABLE_SCALE
  for (const [name, tensor] of tower) all.set(name, tensor)
  return all
}

function gradients(
  { config, labels }: LlavaTrainOptions,
  results: InferenceSession.ReturnType,
  feeds: Feeds,
): Map<string, Float32Array> {
  const { text } = config
  const shapes = new Map([...llavaTensors(config), ...seeingTensors(config, labels)])
  const names = [...new Set([...shapes.keys()].map(inTraining))].filter((name) => name !== TABLE)
  const all = gradientsOf(results, names)
  all.set(TABLE, new Float32Array(text.vocab * text.dim))
  scatterEmbeddings(text, all, results['d embedded'].data as Float32Array, feeds, feeds.ids.dims[0])
  return all
}

const weighted = (loss: Float32Array, feeds: Feeds): number => {
  const weights = feeds.weights.data as Float32Array
  return loss.reduce((sum, value, i) => sum + value * weights[i], 0)
}
