/** Qwen3: LLaMA with norms of every head of queries and keys, and heads of a width of their own (Yang et al., 2025). */
import type { Architecture } from './architecture.ts'
import { decoderToHf, readDecoder } from './hf-decoder-config.ts'
import { llama } from './llama.ts'

export const qwen3: Architecture = {
  ...llama,
  name: 'qwen3',
  tensors: { ...llama.tensors, headNorms: ['self_attn.q_norm', 'self_attn.k_norm'] },
  huggingFace: {
    modelTypes: ['qwen3'],
    refused: { qwen3_moe: 'its feed-forward blocks are of several experts' },
    read: (reader) =>
      readDecoder(reader, {
        arch: 'qwen3',
        lacks: ['attention_bias'],
        windowIf: 'use_sliding_window',
        headDim: 128,
      }),
    write: (c, ids) => decoderToHf(c, { type: 'qwen3', name: 'Qwen3' }, ids),
  },
}
