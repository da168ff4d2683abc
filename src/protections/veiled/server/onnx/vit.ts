/** ViT with a classifier on ONNX Runtime: a picture's patches in, its labels' logits out. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { patchCount, patchSize, vitForm } from '../../../../model/pictures/tower.ts'
import { readVit, type VitConfig, vitHead } from '../../../../model/pictures/vit.ts'
import { type Checkpoint, type Cloud, readCheckpoint } from '../checkpoint.ts'
import type { PictureEngine } from '../engine.ts'
import { Graph } from './graph.ts'
import { sessionOptions } from './session.ts'
import { towerRows } from './tower.ts'
import { Weights } from './weights.ts'

/** Builds the graph and loads it. Rejects with `EngineError` or `HfConfigError` for what it cannot run. */
export async function loadVit(cloud: Cloud, threads: number): Promise<PictureEngine> {
  const checkpoint = readCheckpoint(cloud)
  const config = readVit(checkpoint.read.json, `${cloud.dir}/config.json`)
  const session = await InferenceSession.create(vitGraph(config, checkpoint), sessionOptions(threads))
  const [patches, pixels] = [patchCount(config), patchSize(config)]
  // Pictures take turns, so that who leaves the queue is not computed for.
  let last: Promise<unknown> = Promise.resolve()
  const run = async (values: Float32Array): Promise<Float32Array> => {
    const { logits } = await session.run({ patches: new Tensor('float32', values, [1, patches, pixels]) })
    return (logits.data as Float32Array).slice()
  }
  return {
    kind: 'picture',
    name: 'ONNX Runtime on the processor',
    labels: config.labels.length,
    patches,
    pixels,
    async label(values, signal) {
      const turn = last.then(async () => {
        signal.throwIfAborted()
        return run(values)
      })
      last = turn.catch(() => undefined)
      return turn
    },
    close: async () => {
      await last
      await session.release()
    },
  }
}

/** The graph. Input: `patches` `[1, patches, pixels]`. Output: `logits`, `[1, labels]`. */
function vitGraph(config: VitConfig, { tensors }: Checkpoint): Uint8Array {
  const graph = new Graph()
  const weights = new Weights(graph, tensors)
  const patches = graph.input('patches', [1, patchCount(config), patchSize(config)])
  const rows = towerRows(graph, weights, config, vitForm, patches)
  const first = graph.op('Gather', [rows, graph.constant(BigInt64Array.of(0n), [])], { axis: 1 })
  const normed = weights.layerNorm(first, vitHead.norm, config.eps)
  graph.output('logits', weights.dense(normed, vitHead.classifier))
  return graph.model()
}
