/** A LLaVA that answers questions on a picture (Liu et al., 2023): CLIP's tower, a projector, and a LLaMA. */
import type { ModelConfig } from '../architectures/config.ts'
import { fromHfConfig, toHfConfig } from '../architectures/hf-config.ts'
import { type HfConfig, HfReader } from '../architectures/hf-reader.ts'
import { tensorShapes } from '../graph/tensors.ts'
import { clipForm, patchCount, readTower, type TowerConfig, towerTensors, towerToHf } from './tower.ts'

/** What the parts' tensors are called. */
export const TOWER = 'vision_tower.vision_model'
export const TEXT = 'language_model.'
export const projector = ['multi_modal_projector.linear_1', 'multi_modal_projector.linear_2'] as const

export interface LlavaConfig {
  readonly tower: TowerConfig
  /** Layers of the tower that are run: its last ones may be left out. */
  readonly towerLayers: number
  readonly text: ModelConfig
  /** The token in whose place the rows of a picture's patches stand. */
  readonly pictureToken: number
}

/** Shapes of the projector's tensors by name. */
export const projectorTensors = ({ tower, text }: LlavaConfig): Map<string, number[]> =>
  new Map([
    [`${projector[0]}.weight`, [text.dim, tower.dim]],
    [`${projector[0]}.bias`, [text.dim]],
    [`${projector[1]}.weight`, [text.dim, text.dim]],
    [`${projector[1]}.bias`, [text.dim]],
  ])

/** Shapes of all tensors by name. */
export const llavaTensors = (c: LlavaConfig): Map<string, number[]> =>
  new Map([
    ...towerTensors(c.tower, clipForm(TOWER)),
    ...projectorTensors(c),
    ...[...tensorShapes(c.text)].map(([name, shape]): [string, number[]] => [TEXT + name, shape]),
  ])

/** From a `config.json`. Throws `HfConfigError`. */
export function readLlava(json: HfConfig, file: string): LlavaConfig {
  const reader = new HfReader(json, file)
  if (json.model_type !== 'llava') reader.refuse('model_type', 'it is no LLaVA')
  const [vision, text] = ['vision_config', 'text_config'].map((key) => {
    const part = json[key]
    if (typeof part !== 'object' || part === null) reader.complain(`it has no "${key}".`)
    return part as HfConfig
  })
  if ((json.vision_feature_select_strategy ?? 'default') !== 'default')
    reader.refuse('vision_feature_select_strategy', 'the rows of the patches alone are read')
  if ((json.projector_hidden_act ?? 'gelu') !== 'gelu')
    reader.refuse('projector_hidden_act', 'it must be gelu')
  const tower = readTower(new HfReader(vision, `${file}, vision_config`), {
    ...{ eps: 1e-5, activation: 'gelu' },
  })
  // Counted from behind, as Hugging Face's hidden states are: -1 is what the last layer makes.
  const layer = reader.number('vision_feature_layer', -2)
  const towerLayers = tower.layers + 1 + layer
  if (!(Number.isInteger(layer) && layer < 0 && towerLayers >= 0))
    reader.refuse('vision_feature_layer', `it must be from -${tower.layers + 1} to -1`)
  const pictureToken = reader.number('image_token_index', reader.number('image_token_id', 32000))
  return { tower, towerLayers, text: fromHfConfig(text, `${file}, text_config`), pictureToken }
}

/** The `config.json` of a model. */
export const llavaToHf = (c: LlavaConfig, ids: { bos: number; end: number }): HfConfig => ({
  architectures: ['LlavaForConditionalGeneration'],
  model_type: 'llava',
  image_token_index: c.pictureToken,
  image_seq_length: patchCount(c.tower),
  projector_hidden_act: 'gelu',
  vision_feature_layer: c.towerLayers - c.tower.layers - 1,
  vision_feature_select_strategy: 'default',
  vision_config: { model_type: 'clip_vision_model', ...towerToHf(c.tower) },
  text_config: toHfConfig(c.text, ids),
})
