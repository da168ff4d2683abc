/** ViT (Dosovitskiy et al., 2021): pixels of a patch are mixed, patches reordered, and their positions with them. */
import type { HfReader } from '../../../src/model/architectures/hf-reader.ts'
import type { End } from '../../../src/protections/veiled/ends.ts'
import { headSpace } from '../heads.ts'
import { endSpace, type Space, units } from '../space.ts'
import { dense, type Family, norm, perLayer, read, type TensorSpec, write } from '../tensor-spec.ts'
import { labelsOf, unnamedLabels } from './labels.ts'

export const vit: Family = {
  name: 'vit',
  modelTypes: ['vit'],
  tiesByDefault: false,
  describe(reader, has) {
    if (!has('classifier.weight'))
      reader.complain('only ViT with a classifier is supported, and these weights have none.')
    const { dim, patches, pixels, shape } = pictureSizes(reader)
    const labels = labelsOf(reader)
    const ends = {
      labels: { kind: 'items', size: labels.length },
      pixels: { kind: 'pixels', size: pixels },
      // The first row is the class's.
      patches: { kind: 'items', size: patches + 1, fixed: [0] },
      rows: { kind: 'stream', size: dim, norm: 'layer' },
    } as const satisfies Record<string, End>
    const stream = endSpace('rows', ends.rows)
    const at = 'vit.embeddings'
    return {
      tensors: [
        { name: `${at}.cls_token`, axes: [write(stream)], shape: [1, 1, dim] },
        {
          name: `${at}.position_embeddings`,
          axes: [write(endSpace('patches', ends.patches)), write(stream)],
          shape: [1, patches + 1, dim],
        },
        {
          name: `${at}.patch_embeddings.projection.weight`,
          axes: [write(stream), read(endSpace('pixels', ends.pixels))],
          shape,
        },
        { name: `${at}.patch_embeddings.projection.bias`, axes: [write(stream)] },
        ...perLayer(reader.layers('num_hidden_layers', 12), (layer) =>
          pictureLayer(reader, `layer.${layer}`, stream, {
            before: `vit.encoder.layer.${layer}.layernorm_before`,
            query: `vit.encoder.layer.${layer}.attention.attention.query`,
            key: `vit.encoder.layer.${layer}.attention.attention.key`,
            value: `vit.encoder.layer.${layer}.attention.attention.value`,
            output: `vit.encoder.layer.${layer}.attention.output.dense`,
            after: `vit.encoder.layer.${layer}.layernorm_after`,
            up: `vit.encoder.layer.${layer}.intermediate.dense`,
            down: `vit.encoder.layer.${layer}.output.dense`,
          }),
        ),
        ...norm('vit.layernorm', stream, true),
        ...dense('classifier', write(endSpace('labels', ends.labels)), read(stream, 'vit.layernorm'), 'bias'),
      ],
      ends,
      labels,
    }
  },
  rewrite: unnamedLabels,
}

/** Sizes of a tower that cuts square pictures in square patches. */
export function pictureSizes(reader: HfReader) {
  const dim = reader.size('hidden_size', 768)
  const [picture, patch] = [reader.size('image_size', 224), reader.size('patch_size', 16)]
  const channels = reader.size('num_channels', 3)
  return {
    dim,
    patches: Math.floor(picture / patch) ** 2,
    pixels: channels * patch * patch,
    /** Of the patch embedding, a convolution. */
    shape: [dim, channels, patch, patch],
  }
}

/** What a layer's parts are called. */
export interface LayerNames {
  readonly before: string
  readonly query: string
  readonly key: string
  readonly value: string
  readonly output: string
  readonly after: string
  readonly up: string
  readonly down: string
}

/** A layer of LayerNorm, attention to all rows and a feed-forward block, as ViT and CLIP have it. */
export function pictureLayer(reader: HfReader, id: string, stream: Space, names: LayerNames): TensorSpec[] {
  const dim = reader.size('hidden_size', 768)
  const heads = reader.size('num_attention_heads', 12)
  if (dim % heads !== 0) reader.complain(`${heads} heads do not divide the width ${dim}.`)
  const own = headSpace(`${id}.attention`, { heads, kvHeads: heads, width: dim / heads, between: 'nothing' })
  const hidden = units(`${id}.mlp`, reader.size('intermediate_size', 4 * dim))
  return [
    ...norm(names.before, stream, true),
    ...(['query', 'key', 'value'] as const).flatMap((part) =>
      dense(names[part], write(own, part), read(stream, names.before), 'maybe'),
    ),
    ...dense(names.output, write(stream), read(own, undefined, 'mixed'), 'bias'),
    ...norm(names.after, stream, true),
    ...dense(names.up, write(hidden), read(stream, names.after), 'bias'),
    ...dense(names.down, write(stream), read(hidden), 'bias'),
  ]
}
