/** A ViT that tells a picture's label (Dosovitskiy et al., 2021): Hugging Face's ViTForImageClassification. */
import { type HfConfig, HfReader } from '../architectures/hf-reader.ts'
import { readTower, type TowerConfig, towerTensors, towerToHf, vitForm } from './tower.ts'

/** An encoder of pictures whose class row says a label. */
export interface VitConfig extends TowerConfig {
  readonly labels: readonly string[]
}

/** Of the class's row after the last layer, and the layer that makes labels of it. */
export const vitHead = { norm: 'vit.layernorm', classifier: 'classifier' } as const

/** Shapes of all tensors by name. */
export function vitTensors(config: VitConfig): Map<string, number[]> {
  const { dim, labels } = config
  return new Map([
    ...towerTensors(config, vitForm),
    [`${vitHead.norm}.weight`, [dim]],
    [`${vitHead.norm}.bias`, [dim]],
    [`${vitHead.classifier}.weight`, [labels.length, dim]],
    [`${vitHead.classifier}.bias`, [labels.length]],
  ])
}

/** From a `config.json`. Throws `HfConfigError`. */
export function readVit(json: HfConfig, file: string): VitConfig {
  const reader = new HfReader(json, file)
  if (json.model_type !== 'vit') reader.refuse('model_type', 'it is no ViT')
  if (json.qkv_bias === false) reader.refuse('qkv_bias', 'queries, keys and values must have biases')
  const names = json.id2label
  if (typeof names !== 'object' || names === null) return reader.complain('"id2label" is missing.')
  const labels = Object.keys(names).map((_, i) => String((names as HfConfig)[i]))
  return { ...readTower(reader, { eps: 1e-12, activation: 'gelu' }), labels }
}

/** The `config.json` of a model. */
export const vitToHf = (c: VitConfig): HfConfig => ({
  architectures: ['ViTForImageClassification'],
  model_type: 'vit',
  ...towerToHf(c),
  qkv_bias: true,
  id2label: Object.fromEntries(c.labels.map((label, i) => [i, label])),
  label2id: Object.fromEntries(c.labels.map((label, i) => [label, i])),
})
