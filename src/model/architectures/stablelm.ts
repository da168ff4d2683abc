/**
 * StableLM and StableLM 2 (Bellagente et al., 2024): LLaMA with LayerNorms, of whose heads a quarter turns. The second has
 * biases of queries, keys and values.
 */
import type { Architecture } from './architecture.ts'
import type { ModelConfig } from './config.ts'
import { decoderToHf, readDecoder } from './hf-decoder-config.ts'
import type { HfReader } from './hf-reader.ts'
import { llama } from './llama.ts'

const form = (name: string, biases: 'qkv' | 'none', modelTypes: readonly string[]): Architecture => ({
  ...llama,
  name,
  norm: 'layer',
  biases,
  huggingFace: {
    modelTypes,
    read,
    write: (c, ids) => ({
      ...decoderToHf(c, { type: 'stablelm', name: 'StableLm' }, ids),
      use_qkv_bias: biases === 'qkv',
      layer_norm_eps: c.eps,
    }),
  },
})

function read(reader: HfReader): ModelConfig {
  for (const key of ['use_parallel_residual', 'qk_layernorm'])
    if (reader.json[key])
      reader.refuse(key, 'blocks must follow one another, with a norm before each and no other')
  const arch = reader.json.use_qkv_bias ? 'stablelm-2' : 'stablelm'
  return readDecoder(reader, { arch, lacks: [], turned: 0.25, eps: 'layer_norm_eps' })
}

export const stablelm = form('stablelm', 'none', ['stablelm'])
export const stablelm2 = form('stablelm-2', 'qkv', [])
