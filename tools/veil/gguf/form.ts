/** What llama.cpp calls the tensors of a form, and how they lie in its files. */
import type { HfReader } from '../../../src/model/architectures/hf-reader.ts'
import type { GgufValue } from './gguf-file.ts'

/** One tensor of the file. */
export interface GgufSource {
  readonly name: string
  /** Of the checkpoint; several of one shape are stacked. */
  readonly from: readonly string[]
  /** Heads whose rotary pairs come to lie side by side: llama.cpp has them so. */
  readonly interleaved?: number
  /** Stored `[in, out]`, and wanted the other way round. */
  readonly isTransposed?: boolean
  readonly isOptional?: boolean
  /** In float32 whatever the checkpoint has, as llama.cpp wants vectors and some tables. */
  readonly isSingle?: boolean
}

/** A form that llama.cpp runs from token ids. */
export interface GgufForm {
  readonly modelTypes: readonly string[]
  /** Throws `HfConfigError` for a setting that the file can't say. */
  facts(read: HfReader): Record<string, GgufValue>
  tensors(read: HfReader): readonly GgufSource[]
}
