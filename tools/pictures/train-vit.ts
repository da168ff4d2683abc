/** Trains a ViT on labelled pictures, with the project's own tape. */
import { join } from 'node:path'
import { Tensor as OrtTensor } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { cutPatches, type Normalising } from '../../src/model/pictures/patches.ts'
import { patchCount, patchSize } from '../../src/model/pictures/tower.ts'
import { type VitConfig, vitTensors } from '../../src/model/pictures/vit.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import type { Feeds } from '../pretrain/feeds.ts'
import { FASHION_SIDE, type LabelledPictures } from './fashion.ts'
import { initialTensors } from './initial.ts'
import { type Length, meanOf, runStage, type StageProgress } from './stage.ts'
import { vary } from './varied.ts'
import { vitGraph } from './vit-graph.ts'

const PIXELS = FASHION_SIDE ** 2
const BATCH = 128
/** Probability that is spread over all labels, so that the model stays unsure (Szegedy et al., 2016). */
const SMOOTHING = 0.05

export interface VitTrainOptions {
  readonly config: VitConfig
  readonly normal: Normalising
  readonly pictures: LabelledPictures
  /** Folder for `vit-checkpoint.safetensors`, from which a training goes on. */
  readonly out: string
  /** Weights to begin with, in place of random ones. */
  readonly from?: Tensors
  readonly length: Length
  readonly peakLearningRate: number
  readonly seed: number
  readonly threads: number
  readonly onProgress?: (progress: StageProgress) => void
}

/** Resolves with the weights. */
export function trainVit(o: VitTrainOptions): Promise<Tensors> {
  const { config } = o
  const weights =
    o.from ??
    initialTensors(vitTensors(config), o.seed, {
      names: /(output\.dense|classifier)\.weight$/,
      by: 1 / Math.sqrt(2 * config.layers),
    })
  const batches = new VitBatches(o)
  return runStage({
    ...o,
    name: 'labels',
    graph: vitGraph(config, BATCH, true),
    weights,
    checkpoint: join(o.out, 'vit-checkpoint.safetensors'),
    batch: (step) => batches.at(step),
    losses: ({ loss }) => ({ label: meanOf(loss) }),
  })
}

/** Pictures in a new order each epoch, varied. */
class VitBatches {
  readonly #o: VitTrainOptions
  #epoch = -1
  #order = new Uint32Array()

  constructor(o: VitTrainOptions) {
    this.#o = o
  }

  at(step: number): Feeds {
    const { config, pictures, normal, seed } = this.#o
    const random = new PredictableRandom(seed * 1_000_003 + step)
    const labels = config.labels.length
    const [rows, width] = [BATCH * patchCount(config), patchSize(config)]
    const patches = new Float32Array(rows * width)
    const targets = new Float32Array(BATCH * labels).fill(SMOOTHING / labels)
    const picture = new Uint8Array(PIXELS)
    for (let b = 0; b < BATCH; b++) {
      const number = this.#number(step * BATCH + b)
      vary(pictures.pixels.subarray(number * PIXELS, (number + 1) * PIXELS), random, picture)
      cutPatches(picture, config, normal, patches, b * PIXELS)
      targets[b * labels + pictures.labels[number]] += 1 - SMOOTHING
    }
    return {
      patches: new OrtTensor('float32', patches, [rows, width]),
      targets: new OrtTensor('float32', targets, [BATCH, labels]),
    }
  }

  #number(seen: number): number {
    const { count } = this.#o.pictures
    const epoch = Math.floor(seen / count)
    if (epoch !== this.#epoch) {
      this.#epoch = epoch
      this.#order = shuffled(count, new PredictableRandom(this.#o.seed + 7919 * (epoch + 1)))
    }
    return this.#order[seen % count]
  }
}

function shuffled(count: number, random: PredictableRandom): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const [a, b] = [order[i], order[j]]
    order[i] = b
    order[j] = a
  }
  return order
}
