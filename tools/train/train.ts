import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { demoConfig, type ModelConfig, type Tensors } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { AdamW, adamWDefaults, learningRate } from './adamw.ts'
import { Batches } from './batches.ts'
import { toTokenizerJson, trainBpe } from './bpe.ts'
import { loadCheckpoint, saveCheckpoint, type TrainState } from './checkpoint.ts'
import { chatSpecials, encodeAll, readDialogues, specialId } from './dialogues.ts'
import type { GradientEngine } from './gradient.ts'
import { LossCurve } from './loss-curve.ts'

export interface TrainOptions {
  /** JSON-lines dialogues, optionally gzipped. */
  data: string
  /** Folder for `tokenizer.json`, `checkpoint.safetensors` and `loss.csv`. */
  out: string
  config?: ModelConfig
  /** Stop, with the schedule at its end, after so many steps. */
  steps?: number
  /** ... or after so many minutes. One of the two is needed. */
  minutes?: number
  /** `[rows, length]` of the batches, taken in turn; some long ones keep far positions in practice. */
  shapes?: Array<[number, number]>
  /** Dialogues to measure on, now and then; never learned from. */
  dev?: string
  devEvery?: number
  peakLearningRate?: number
  seed?: number
  resume?: boolean
  checkpointMinutes?: number
  engine: (config: ModelConfig) => Promise<GradientEngine>
  onProgress?: (progress: TrainProgress) => void
}

export interface TrainProgress {
  step: number
  loss: number
  learningRate: number
  gradientNorm: number
  tokensPerSecond: number
  /** Seconds since the training began. */
  elapsed: number
  /** Loss on the `dev` dialogues, at the steps that measure it. */
  devLoss?: number
}

const defaultShapes: Array<[number, number]> = [
  [8, 256],
  [8, 256],
  [8, 256],
  [4, 512],
]

/** Small normal weights; what feeds the residual stream is damped by depth; gains start at one, biases at zero. */
export function initialWeights(config: ModelConfig, seed: number): Tensors {
  const random = new PredictableRandom(seed)
  const weights: Tensors = new Map()
  const { layers } = graphOf(config)
  const damped = new Set(layers.flatMap(({ attentionOutput, down }) => [attentionOutput.weight, down.weight]))
  for (const [name, shape] of tensorShapes(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    const std = damped.has(name) ? 0.02 / Math.sqrt(2 * config.layers) : 0.02
    if (shape.length === 1) data.fill(name.endsWith('.bias') ? 0 : 1)
    else for (let i = 0; i < data.length; i++) data[i] = std * random.normal()
    weights.set(name, { shape, data })
  }
  return weights
}

/** Trains, or goes on training; returns the final weights. */
export async function train(options: TrainOptions): Promise<{ state: TrainState; weights: Tensors }> {
  const { data, out, shapes = defaultShapes, seed = 1, peakLearningRate = 1.5e-3 } = options
  if (!options.steps && !options.minutes) throw new Error('Say when to stop: --steps or --minutes.')
  mkdirSync(out, { recursive: true })
  const checkpoint = join(out, 'checkpoint.safetensors')
  const { state, optimizer } = start(options, checkpoint, seed)
  const tokenizer = new Tokenizer(vocabulary(options, state.config), {})
  const bos = specialId(tokenizer, '<|bos|>')
  const load = (path: string, batchSeed: number) =>
    new Batches(encodeAll(readDialogues(path), tokenizer), bos, batchSeed)
  const batches = load(data, state.seed)
  const dev = options.dev === undefined ? undefined : load(options.dev, 0)
  const engine = await options.engine(state.config)
  const curve = new LossCurve(join(out, 'loss.csv'), state.step)

  let saved = Date.now()
  for (;;) {
    const progress = Math.max(
      options.steps ? state.step / options.steps : 0,
      options.minutes ? state.elapsed / (60 * options.minutes) : 0,
    )
    if (progress >= 1) break
    const began = performance.now()
    const rate = learningRate(progress, peakLearningRate)
    const [rows, length] = shapes[state.step % shapes.length]
    const { loss, gradients } = await engine.run(optimizer.weights, batches.at(state.step, rows, length))
    const gradientNorm = optimizer.update(gradients, rate)
    const tokensPerSecond = (rows * length * 1000) / (performance.now() - began)
    state.step++
    const measure = dev && state.step % (options.devEvery ?? 500) === 0
    const devLoss = measure ? await devLossOf(engine, optimizer.weights, dev) : undefined
    state.elapsed += (performance.now() - began) / 1000
    const point = {
      step: state.step,
      elapsed: state.elapsed,
      loss,
      learningRate: rate,
      gradientNorm,
      devLoss,
    }
    curve.add(point)
    options.onProgress?.({ ...point, tokensPerSecond })
    if (Date.now() - saved > (options.checkpointMinutes ?? 5) * 60_000) {
      saveCheckpoint(checkpoint, state, optimizer)
      saved = Date.now()
    }
  }
  saveCheckpoint(checkpoint, state, optimizer)
  await engine.close()
  return { state, weights: optimizer.weights }
}

/** Mean loss over a few fixed windows: cheap enough to repeat, the same windows every time. */
async function devLossOf(engine: GradientEngine, weights: Tensors, dev: Batches): Promise<number> {
  const count = 8
  let sum = 0
  for (let i = 0; i < count; i++) sum += (await engine.run(weights, dev.at(i, 8, 256))).loss
  return sum / count
}

function start(options: TrainOptions, checkpoint: string, seed: number) {
  const found = existsSync(checkpoint)
  if (options.resume && !found) throw new Error(`${checkpoint} does not exist: there is nothing to resume.`)
  if (!options.resume && found)
    throw new Error(`${checkpoint} exists already. Use --resume to go on with it, or another --out folder.`)
  if (found) return loadCheckpoint(checkpoint)
  const config = options.config ?? demoConfig
  const state: TrainState = { step: 0, elapsed: 0, seed, config }
  return { state, optimizer: new AdamW(initialWeights(config, seed), adamWDefaults) }
}

/** The tokenizer in the output folder, or a new one learned from the data. */
function vocabulary({ data, out }: TrainOptions, config: ModelConfig): object {
  const path = join(out, 'tokenizer.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as object
  const texts = readDialogues(data).flatMap((dialogue) => dialogue.turns.map((turn) => turn.text))
  const learned = toTokenizerJson(trainBpe(texts, config.vocab, chatSpecials))
  writeFileSync(path, JSON.stringify(learned))
  return learned
}
