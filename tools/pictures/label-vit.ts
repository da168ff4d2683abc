import { Tensor as OrtTensor } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { cutPatches, type Normalising } from '../../src/model/pictures/patches.ts'
import { patchCount, patchSize } from '../../src/model/pictures/tower.ts'
import type { VitConfig } from '../../src/model/pictures/vit.ts'
import { openSession } from '../onnx/session.ts'
import { weightFeeds } from '../pretrain/feeds.ts'
import { FASHION_SIDE, type LabelledPictures } from './fashion.ts'
import { vitGraph } from './vit-graph.ts'

const PIXELS = FASHION_SIDE ** 2
const BATCH = 100

/** The likeliest label of each of the first `count` pictures, which is a multiple of 100. */
export async function labelVit(
  config: VitConfig,
  weights: Tensors,
  { pixels }: LabelledPictures,
  normal: Normalising,
  count: number,
): Promise<number[]> {
  const session = await openSession(vitGraph(config, BATCH, false), 1)
  const [rows, width] = [BATCH * patchCount(config), patchSize(config)]
  const found: number[] = []
  for (let from = 0; from < count; from += BATCH) {
    const patches = new Float32Array(rows * width)
    for (let i = from; i < from + BATCH; i++)
      cutPatches(pixels.subarray(i * PIXELS, (i + 1) * PIXELS), config, normal, patches, (i - from) * PIXELS)
    const feeds = { patches: new OrtTensor('float32', patches, [rows, width]), ...weightFeeds(weights) }
    const logits = (await session.run(feeds)).logits.data as Float32Array
    const labels = config.labels.length
    for (let i = 0; i < BATCH; i++) {
      const row = logits.subarray(i * labels, (i + 1) * labels)
      found.push(row.indexOf(Math.max(...row)))
    }
  }
  await session.release()
  return found
}
