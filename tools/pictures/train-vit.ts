/** Trains a ViT on labelled pictures, with the project's own tape. */
import { Tensor as OrtTensor } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { cutPatches, type Normalising } from '../../src/model/pictures/patches.ts'
import { patchCount, patchSize } from '../../src/model/pictures/tower.ts'
import { type VitConfig, vitTensors } from '../../src/model/pictures/vit.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { openSession } from '../onnx/session.ts'
import { weightFeeds } from '../pretrain/feeds.ts'
import { AdamW, learningRate } from '../train/adamw.ts'
import { FASHION_SIDE, type LabelledPictures } from './fashion.ts'
import { gradientsOf } from './gradients.ts'
import { initialTensors } from './initial.ts'
import { vary } from './varied.ts'
import { vitGraph } from './vit-graph.ts'

const PIXELS = FASHION_SIDE ** 2
/** Probability that is spread over all labels, so that the model stays unsure (Szegedy et al., 2016). */
const SMOOTHING = 0.05

export interface VitTrainOptions {
  readonly config: VitConfig
  readonly normal: Normalising
  readonly pictures: LabelledPictures
  /** Of wall time. */
  readonly minutes: number
  readonly batch: number
  readonly peakLearningRate: number
  readonly seed: number
  readonly threads: number
  /** Every hundred steps. */
  readonly onProgress?: (progress: PictureProgress, weights: Tensors) => void
}

export interface PictureProgress {
  readonly step: number
  /** Pictures seen, in multiples of all there are. */
  readonly epochs: number
  /** Mean since the last report, in nats. */
  readonly loss: number
  readonly minutes: number
  /** Of processor time. */
  readonly cpuMinutes: number
}

/** Resolves with the weights. */
export async function trainVit(o: VitTrainOptions): Promise<Tensors> {
  const { config, batch } = o
  const session = await openSession(vitGraph(config, batch, true), o.threads)
  const weights = initialTensors(vitTensors(config), o.seed, {
    names: /(output\.dense|classifier)\.weight$/,
    by: 1 / Math.sqrt(2 * config.layers),
  })
  const optimizer = new AdamW(weights, { beta1: 0.9, beta2: 0.98, eps: 1e-8, weightDecay: 0.05, clip: 1 })
  const began = { wall: performance.now(), cpu: process.cpuUsage() }
  const batches = new VitBatches(o)
  let sum = 0
  for (let step = 0; ; step++) {
    const minutes = (performance.now() - began.wall) / 60_000
    if (minutes >= o.minutes) break
    const feeds = batches.next()
    const results = await session.run({ ...feeds, ...weightFeeds(weights) })
    optimizer.update(gradientsOf(results, weights), learningRate(minutes / o.minutes, o.peakLearningRate))
    sum += (results.loss.data as Float32Array).reduce((a, b) => a + b, 0) / batch
    if ((step + 1) % 100 === 0) {
      const { user, system } = process.cpuUsage(began.cpu)
      const epochs = ((step + 1) * batch) / o.pictures.count
      o.onProgress?.(
        { step: step + 1, epochs, loss: sum / 100, minutes, cpuMinutes: (user + system) / 60e6 },
        weights,
      )
      sum = 0
    }
  }
  await session.release()
  return weights
}

/** Pictures in a new order each epoch, varied. */
class VitBatches {
  readonly #o: VitTrainOptions
  readonly #random: PredictableRandom
  readonly #order: Uint32Array
  #at: number

  constructor(o: VitTrainOptions) {
    this.#o = o
    this.#random = new PredictableRandom(o.seed)
    this.#order = Uint32Array.from({ length: o.pictures.count }, (_, i) => i)
    this.#at = o.pictures.count
  }

  next() {
    const { config, batch, pictures, normal } = this.#o
    const labels = config.labels.length
    const [rows, width] = [batch * patchCount(config), patchSize(config)]
    const patches = new Float32Array(rows * width)
    const targets = new Float32Array(batch * labels).fill(SMOOTHING / labels)
    const picture = new Uint8Array(PIXELS)
    for (let b = 0; b < batch; b++) {
      const number = this.#number()
      vary(pictures.pixels.subarray(number * PIXELS, (number + 1) * PIXELS), this.#random, picture)
      cutPatches(picture, config, normal, patches, b * PIXELS)
      targets[b * labels + pictures.labels[number]] += 1 - SMOOTHING
    }
    return {
      patches: new OrtTensor('float32', patches, [rows, width]),
      targets: new OrtTensor('float32', targets, [batch, labels]),
    }
  }

  #number(): number {
    if (this.#at === this.#order.length) {
      this.#at = 0
      for (let i = this.#order.length - 1; i > 0; i--) {
        const j = this.#random.below(i + 1)
        ;[this.#order[i], this.#order[j]] = [this.#order[j], this.#order[i]]
      }
    }
    return this.#order[this.#at++]
  }
}
