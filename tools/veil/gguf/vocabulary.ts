/** A vocabulary that says nothing: engines want one, and the veiled model's tokens are nobody's business. */
import type { GgufValue } from './gguf-file.ts'

/** Pieces of single bytes, without which llama.cpp ends its process as it loads a model. */
const BYTES = 256
const FIRST_BYTE = 3

/** Kinds of tokens, by the format's numbers. */
const kind = { normal: 1, unknown: 2, control: 3, byte: 6 }

/** Fewer have no room for the bytes. */
export const LEAST_TOKENS = FIRST_BYTE + BYTES

/**
 * Placeholders for `size` tokens, at least {@link LEAST_TOKENS}. `bos` and `eos` are veiled ids; where there is none,
 * llama.cpp has its own idea. Which ids carry the byte pieces means nothing.
 */
export function placeholders(size: number, marks: { bos?: number; eos?: number }): Record<string, GgufValue> {
  const isByte = (id: number): boolean => id >= FIRST_BYTE && id < FIRST_BYTE + BYTES
  const kinds = Int32Array.from({ length: size }, (_, id) => (isByte(id) ? kind.byte : kind.normal))
  kinds[0] = kind.unknown
  for (const id of [marks.bos, marks.eos]) if (id !== undefined) kinds[id] = kind.control
  const text = (id: number): string =>
    isByte(id) ? `<0x${(id - FIRST_BYTE).toString(16).toUpperCase().padStart(2, '0')}>` : `<${id}>`
  return {
    'tokenizer.ggml.model': { string: 'llama' },
    'tokenizer.ggml.tokens': { strings: Array.from({ length: size }, (_, id) => text(id)) },
    'tokenizer.ggml.scores': { f32s: new Float32Array(size) },
    'tokenizer.ggml.token_type': { i32s: kinds },
    'tokenizer.ggml.add_bos_token': { bool: false },
    'tokenizer.ggml.add_eos_token': { bool: false },
    ...(marks.bos === undefined ? {} : { 'tokenizer.ggml.bos_token_id': { u32: marks.bos } }),
    ...(marks.eos === undefined ? {} : { 'tokenizer.ggml.eos_token_id': { u32: marks.eos } }),
  }
}
