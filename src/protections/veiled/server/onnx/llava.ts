/** LLaVA on ONNX Runtime: a tower makes rows of a picture, which a LLaMA reads in place of tokens. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Tensors } from '../../../../model/architectures/config.ts'
import { type HfConfig, HfReader } from '../../../../model/architectures/hf-reader.ts'
import { type LlavaConfig, projector, readLlava, TEXT, TOWER } from '../../../../model/pictures/llava.ts'
import { clipForm, patchCount, patchSize } from '../../../../model/pictures/tower.ts'
import { type Checkpoint, type Cloud, readCheckpoint } from '../checkpoint.ts'
import type { DecoderEngine } from '../engine.ts'
import { activate } from './activate.ts'
import { openDecoder } from './decoder.ts'
import { Graph } from './graph.ts'
import { llama } from './llama.ts'
import { sessionOptions } from './session.ts'
import { towerRows } from './tower.ts'
import { Weights } from './weights.ts'

/** Builds both graphs and loads them. Rejects with `EngineError` or `HfConfigError` for what it cannot run. */
export async function loadLlava(cloud: Cloud, threads: number): Promise<DecoderEngine> {
  const { read, tensors } = readCheckpoint(cloud)
  const file = `${cloud.dir}/config.json`
  const config = readLlava(read.json, file)
  const named = oldNames(tensors)
  const text: Checkpoint = {
    read: new HfReader(read.json.text_config as HfConfig, `${file}, text_config`),
    tensors: new Map([...named].map(([name, tensor]) => [name.replace(TEXT, ''), tensor])),
  }
  const tower = await InferenceSession.create(towerGraph(config, named), sessionOptions(threads))
  const [patches, pixels] = [patchCount(config.tower), patchSize(config.tower)]
  return openDecoder(llama, text, threads, {
    pictures: {
      ...{ patches, pixels, token: config.pictureToken, dim: config.text.dim },
      async rows(values) {
        const { rows } = await tower.run({ patches: new Tensor('float32', values, [1, patches, pixels]) })
        return (rows.data as Float32Array).slice()
      },
      close: () => tower.release(),
    },
  })
}

/** Files of newer versions have other prefixes. */
const oldNames = (tensors: Tensors): Tensors =>
  new Map(
    [...tensors].map(([name, tensor]) => [
      name
        .replace(/^model\.language_model\./, `${TEXT}model.`)
        .replace(/^model\.(vision_tower|multi_modal_projector)\./, '$1.')
        .replace(/^lm_head\./, `${TEXT}lm_head.`),
      tensor,
    ]),
  )

/** The graph. Input: `patches` `[1, patches, pixels]`. Output: `rows` for the text model, `[1, patches, dim]`. */
function towerGraph({ tower, towerLayers }: LlavaConfig, tensors: Tensors): Uint8Array {
  const graph = new Graph()
  const weights = new Weights(graph, tensors)
  const patches = graph.input('patches', [1, patchCount(tower), patchSize(tower)])
  const seen = towerRows(graph, weights, tower, clipForm(TOWER), patches, towerLayers)
  // The class's row is the first.
  const range = [graph.integers(1), graph.integers(1 + patchCount(tower)), graph.integers(1)]
  const inner = weights.dense(graph.op('Slice', [seen, ...range]), projector[0])
  graph.output('rows', weights.dense(activate(graph, inner, 'gelu'), projector[1]))
  return graph.model()
}
