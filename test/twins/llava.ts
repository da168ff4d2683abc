/** LLaVA, written once more from its paper (Liu et al., 2023): CLIP's tower, a projector of two layers, and a LLaMA. */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { activation, plus, rowOf, type TwinTensors, type Vector } from './formulas.ts'
import { LlamaTwin } from './llama.ts'
import { PictureLayers, type PictureNames } from './vit.ts'

const TOWER = 'vision_tower.vision_model.'

const clipNames: PictureNames = {
  layers: `${TOWER}encoder.layers`,
  before: 'layer_norm1',
  qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  output: 'self_attn.out_proj',
  after: 'layer_norm2',
  up: 'mlp.fc1',
  down: 'mlp.fc2',
}

/** Rows for the text model of a picture's patches: the tower's last layer but one, without the class's row, projected. */
export function pictureRows(tower: ModelConfig, tensors: TwinTensors, patches: readonly Vector[]): Vector[] {
  const layers = new PictureLayers(tower, tensors, clipNames)
  const get = (name: string) => tensors.get(`${TOWER}embeddings.${name}`)!.data
  const embedded = patches.map((patch) => layers.dense(patch, `${TOWER}embeddings.patch_embedding`))
  const xs = [[...get('class_embedding')], ...embedded].map((row, t) =>
    layers.norm(plus(row, rowOf(get('position_embedding.weight'), tower.dim, t)), `${TOWER}pre_layrnorm`),
  )
  const seen = layers.run(xs, tower.layers - 1).slice(1)
  return seen.map((x) =>
    layers.dense(
      layers.dense(x, 'multi_modal_projector.linear_1').map(activation.gelu),
      'multi_modal_projector.linear_2',
    ),
  )
}

/** The text model of a LLaVA. */
export function textTwin(config: ModelConfig, tensors: TwinTensors): LlamaTwin {
  const prefix = 'language_model.'
  const own = [...tensors].filter(([name]) => name.startsWith(prefix))
  return new LlamaTwin(config, new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])))
}
