/**
 * LLaVA (Liu et al., 2023): CLIP's tower, a projector, and a LLaMA. A norm of the tower's rows is carried on, so its stream
 * is permuted only; the order of patches is that of the text model's positions, so it stays.
 */
import { type HfConfig, HfReader } from '../../../src/model/architectures/hf-reader.ts'
import type { End } from '../../../src/protections/veiled/ends.ts'
import { endSpace, type Space, units } from '../space.ts'
import { dense, type Family, norm, perLayer, read, type TensorSpec, write } from '../tensor-spec.ts'
import { gated, rotaryDecoder } from './llama.ts'
import { pictureLayer, pictureSizes } from './vit.ts'

export const llava: Family = {
  name: 'llava',
  modelTypes: ['llava'],
  tiesByDefault: false,
  describe(reader, has) {
    const [text, picture] = ['text_config', 'vision_config'].map((key) => partOf(reader, key))
    if ((text.json.model_type ?? 'llama') !== 'llama')
      text.refuse('model_type', 'the text model must be a LLaMA')
    if ((picture.json.model_type ?? 'clip_vision_model') !== 'clip_vision_model')
      picture.refuse('model_type', "the tower must be CLIP's")
    // Files of newer versions have other prefixes.
    const isNew = has('model.language_model.embed_tokens.weight')
    const [outer, language, head] = isNew
      ? ['model.', 'model.language_model', 'lm_head.weight']
      : ['', 'language_model.model', 'language_model.lm_head.weight']
    const decoder = rotaryDecoder(text, language, head, gated)
    const { pixels, dim } = pictureSizes(picture)
    const pixelEnd: End = { kind: 'pixels', size: pixels }
    const rows = endSpace('tower', { kind: 'stream', size: dim, norm: 'carried' })
    const inner = units('projector', text.size('hidden_size', 4096))
    return {
      tensors: [
        ...tower(picture, `${outer}vision_tower.vision_model`, rows, endSpace('pixels', pixelEnd)),
        ...dense(`${outer}multi_modal_projector.linear_1`, write(inner), read(rows), 'maybe'),
        ...dense(`${outer}multi_modal_projector.linear_2`, write(decoder.stream), read(inner), 'maybe'),
        ...decoder.tensors,
      ],
      ends: { ...decoder.ends, pixels: pixelEnd },
    }
  },
  rewrite: (config, isUntied) =>
    isUntied
      ? { ...config, text_config: { ...(config.text_config as HfConfig), tie_word_embeddings: false } }
      : config,
}

function partOf(reader: HfReader, key: string): HfReader {
  const part = reader.json[key]
  if (typeof part !== 'object' || part === null) reader.complain(`it has no "${key}".`)
  return new HfReader(part as HfConfig, `config.json, ${key}`)
}

function tower(reader: HfReader, prefix: string, stream: Space, pixels: Space): TensorSpec[] {
  const { dim, patches, shape } = pictureSizes(reader)
  return [
    { name: `${prefix}.embeddings.class_embedding`, axes: [write(stream)] },
    { name: `${prefix}.embeddings.patch_embedding.weight`, axes: [write(stream), read(pixels)], shape },
    {
      name: `${prefix}.embeddings.position_embedding.weight`,
      axes: [{ plain: patches + 1 }, write(stream)],
      shape: [patches + 1, dim],
    },
    // Spelled so in CLIP.
    ...norm(`${prefix}.pre_layrnorm`, stream, true),
    ...perLayer(reader.layers('num_hidden_layers', 12), (layer) => {
      const at = `${prefix}.encoder.layers.${layer}`
      return pictureLayer(reader, `tower.${layer}`, stream, {
        before: `${at}.layer_norm1`,
        query: `${at}.self_attn.q_proj`,
        key: `${at}.self_attn.k_proj`,
        value: `${at}.self_attn.v_proj`,
        output: `${at}.self_attn.out_proj`,
        after: `${at}.layer_norm2`,
        up: `${at}.mlp.fc1`,
        down: `${at}.mlp.fc2`,
      })
    }),
    ...norm(`${prefix}.post_layernorm`, stream, true).map((spec) => ({ ...spec, isOptional: true })),
  ]
}
