/** Qwen2 and Qwen2.5: LLaMA with biases of queries, keys and values (Yang et al., 2024). */
import type { Architecture } from './architecture.ts'
import { decoderToHf, readDecoder } from './hf-decoder-config.ts'
import { llama } from './llama.ts'

export const qwen2: Architecture = {
  ...llama,
  name: 'qwen2',
  biases: 'qkv',
  huggingFace: {
    modelTypes: ['qwen2'],
    read: (reader) => readDecoder(reader, { arch: 'qwen2', lacks: [], windowIf: 'use_sliding_window' }),
    write: (c, ids) => decoderToHf(c, { type: 'qwen2', name: 'Qwen2' }, ids),
  },
}
