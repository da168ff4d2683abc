/** Phi-3 and Phi-4: LLaMA whose queries, keys and values are one matrix, and gate and up another (Abdin et al., 2024). */
import type { Architecture } from './architecture.ts'
import { decoderToHf, readDecoder } from './hf-decoder-config.ts'
import { llama } from './llama.ts'

export const phi3: Architecture = {
  ...llama,
  name: 'phi3',
  tensors: {
    ...llama.tensors,
    qkv: ['self_attn.qkv_proj'],
    feedForward: ['mlp.gate_up_proj', 'mlp.gate_up_proj'],
  },
  huggingFace: {
    modelTypes: ['phi3'],
    read: (reader) => readDecoder(reader, { arch: 'phi3', lacks: ['attention_bias', 'mlp_bias'], turned: 1 }),
    write: (c, ids) => decoderToHf(c, { type: 'phi3', name: 'Phi3' }, ids),
  },
}
