/** Encoders of pictures: square patches, a class's row before them, and pre-LayerNorm layers. Sizes and names of tensors. */
import type { Activation } from '../architectures/config.ts'
import { activationToHf, type HfConfig, type HfReader } from '../architectures/hf-reader.ts'

/** Sizes of what is read. */
export interface PictureSizes {
  /** Rows, and columns, of a picture and of a patch, in pixels. */
  readonly picture: number
  readonly patch: number
  readonly channels: number
}

/** Sizes of an encoder of pictures. */
export interface TowerConfig extends PictureSizes {
  readonly dim: number
  readonly layers: number
  readonly heads: number
  /** Units of a feed-forward block. */
  readonly ff: number
  readonly eps: number
  readonly activation: Activation
}

/** What the tensors of a layer are called. */
interface LayerNames {
  readonly before: string
  readonly qkv: readonly [string, string, string]
  readonly output: string
  readonly after: string
  readonly up: string
  readonly down: string
}

/** What an encoder's tensors are called, and which of them it has. */
export interface TowerForm {
  readonly classRow: string
  /** One row for the class and each patch. */
  readonly positions: string
  /** A convolution whose steps are as wide as it is. */
  readonly patches: string
  readonly hasPatchBias: boolean
  /** Of rows before the first layer, which are carried on normalised. */
  readonly firstNorm?: string
  readonly layer: (number: number) => LayerNames
}

/** ViT (Dosovitskiy et al., 2021), as Hugging Face's ViTForImageClassification has it. */
export const vitForm: TowerForm = {
  classRow: 'vit.embeddings.cls_token',
  positions: 'vit.embeddings.position_embeddings',
  patches: 'vit.embeddings.patch_embeddings.projection',
  hasPatchBias: true,
  layer: (number) => {
    const at = `vit.encoder.layer.${number}`
    const own = `${at}.attention.attention`
    return {
      before: `${at}.layernorm_before`,
      qkv: [`${own}.query`, `${own}.key`, `${own}.value`],
      output: `${at}.attention.output.dense`,
      after: `${at}.layernorm_after`,
      up: `${at}.intermediate.dense`,
      down: `${at}.output.dense`,
    }
  },
}

/** The tower of CLIP (Radford et al., 2021); `prefix` is what its names begin with in a larger model. */
export const clipForm = (prefix: string): TowerForm => ({
  classRow: `${prefix}.embeddings.class_embedding`,
  positions: `${prefix}.embeddings.position_embedding.weight`,
  patches: `${prefix}.embeddings.patch_embedding`,
  hasPatchBias: false,
  // Spelled so in CLIP.
  firstNorm: `${prefix}.pre_layrnorm`,
  layer: (number) => {
    const at = `${prefix}.encoder.layers.${number}`
    return {
      before: `${at}.layer_norm1`,
      qkv: [`${at}.self_attn.q_proj`, `${at}.self_attn.k_proj`, `${at}.self_attn.v_proj`],
      output: `${at}.self_attn.out_proj`,
      after: `${at}.layer_norm2`,
      up: `${at}.mlp.fc1`,
      down: `${at}.mlp.fc2`,
    }
  },
})

/** How many patches a picture has. */
export const patchCount = ({ picture, patch }: PictureSizes): number => (picture / patch) ** 2

/** Numbers of a patch: all channels'. */
export const patchSize = ({ patch, channels }: PictureSizes): number => channels * patch * patch

const layerNorm = (name: string, dim: number): [string, number[]][] => [
  [`${name}.weight`, [dim]],
  [`${name}.bias`, [dim]],
]

const dense = (name: string, outputs: number, inputs: number): [string, number[]][] => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
]

/** Shapes of an encoder's tensors by name, in the order of its layers. */
export function towerTensors(c: TowerConfig, form: TowerForm): Map<string, number[]> {
  const { dim, ff, patch, channels } = c
  const rows = patchCount(c) + 1
  const isVit = form.hasPatchBias
  return new Map<string, number[]>([
    [form.classRow, isVit ? [1, 1, dim] : [dim]],
    [form.positions, isVit ? [1, rows, dim] : [rows, dim]],
    [`${form.patches}.weight`, [dim, channels, patch, patch]],
    ...(form.hasPatchBias ? [[`${form.patches}.bias`, [dim]] as [string, number[]]] : []),
    ...(form.firstNorm ? layerNorm(form.firstNorm, dim) : []),
    ...Array.from({ length: c.layers }, (_, l) => {
      const { before, qkv, output, after, up, down } = form.layer(l)
      return [
        ...layerNorm(before, dim),
        ...qkv.flatMap((name) => dense(name, dim, dim)),
        ...dense(output, dim, dim),
        ...layerNorm(after, dim),
        ...dense(up, ff, dim),
        ...dense(down, dim, ff),
      ]
    }).flat(),
  ])
}

/** Sizes from a `config.json`, or its part that describes an encoder of pictures. Throws `HfConfigError`. */
export function readTower(reader: HfReader, defaults: { eps: number; activation: string }): TowerConfig {
  const dim = reader.size('hidden_size', 768)
  const heads = reader.size('num_attention_heads', 12)
  if (dim % heads !== 0) reader.complain(`${heads} heads do not divide the width ${dim}.`)
  const [picture, patch] = [reader.size('image_size', 224, 4096), reader.size('patch_size', 16, 4096)]
  if (picture % patch !== 0) reader.complain(`patches of ${patch} pixels do not divide ${picture}.`)
  return {
    dim,
    layers: reader.layers('num_hidden_layers', 12),
    heads,
    ff: reader.size('intermediate_size', 4 * dim),
    eps: reader.number('layer_norm_eps', defaults.eps),
    activation: reader.activation('hidden_act', ['gelu', 'gelu_tanh', 'relu', 'silu'], defaults.activation),
    picture,
    patch,
    channels: reader.size('num_channels', 3, 16),
  }
}

/** The fields that {@link readTower} reads. */
export const towerToHf = (c: TowerConfig): HfConfig => ({
  hidden_size: c.dim,
  num_hidden_layers: c.layers,
  num_attention_heads: c.heads,
  intermediate_size: c.ff,
  hidden_act: activationToHf[c.activation],
  layer_norm_eps: c.eps,
  image_size: c.picture,
  patch_size: c.patch,
  num_channels: c.channels,
})
