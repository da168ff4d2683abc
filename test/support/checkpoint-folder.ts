/** Hugging Face folders of small random models, for tests. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { toHfConfig } from '../../src/model/architectures/hf-config.ts'
import {
  type Dtype,
  encodeHeader,
  encodeSafetensors,
  encodeValues,
} from '../../src/model/files/safetensors.ts'
import { randomModel } from '../../src/model/random.ts'
import { byteSymbols } from '../../src/model/tokenizer/byte-symbols.ts'

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sotto-import-'))

const common = {
  vocab: 300,
  dim: 16,
  layers: 2,
  heads: 4,
  kvHeads: 4,
  ff: 24,
  eps: 1e-5,
  context: 64,
  tied: true,
}

/** One small model of each form. */
export const smallConfigs = {
  llama: { ...common, arch: 'llama', kvHeads: 2, ropeTheta: 10000, activation: 'silu' },
  gpt2: { ...common, arch: 'gpt2', activation: 'gelu_tanh' },
  bert: {
    ...common,
    arch: 'bert',
    activation: 'gelu',
    types: 2,
    head: { kind: 'classify', labels: ['negative', 'positive'] },
  },
  roberta: {
    ...common,
    arch: 'roberta',
    activation: 'gelu',
    types: 1,
    positionOffset: 2,
    head: { kind: 'mlm' },
  },
} as const satisfies Record<string, ModelConfig>

/** A byte-level BPE with 256 bytes, a few merges and these special tokens behind them. */
export function byteLevelJson(specials: readonly string[] = ['<|endoftext|>']) {
  const merges = [
    ['h', 'e'],
    ['l', 'l'],
    ['Ġ', 'w'],
  ]
  const words = [...byteSymbols, ...merges.map((pair) => pair.join('')), ...specials]
  const vocab = Object.fromEntries(words.map((word, id) => [word, id]))
  return {
    version: '1.0',
    added_tokens: specials.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab, merges },
  }
}

export interface FolderOptions {
  config: ModelConfig
  tensors?: Tensors
  dtype?: Dtype
  /** More than one: an index and as many files. */
  shards?: number
  /** What the checkpoint calls a tensor. */
  rename?: (name: string) => string
  /** Further files, or others in place of these; null leaves one out. */
  files?: Record<string, object | string | null>
}

/** Writes `config.json`, weights and `tokenizer.json`; returns the tensors. */
export function writeFolder(dir: string, o: FolderOptions): Tensors {
  mkdirSync(dir, { recursive: true })
  const tensors = o.tensors ?? randomModel(o.config, 3)
  const { rename = (name) => name, shards = 1, dtype = 'F32' } = o
  const named = [...tensors].map(([name, tensor]) => [rename(name), tensor] as const)
  const files: NonNullable<FolderOptions['files']> = {
    'config.json': toHfConfig(o.config),
    'tokenizer.json': byteLevelJson(),
    ...o.files,
  }
  for (const [name, value] of Object.entries(files))
    if (value !== null)
      writeFileSync(join(dir, name), typeof value === 'string' ? value : JSON.stringify(value))
  const write = (file: string, part: typeof named): void =>
    writeFileSync(join(dir, file), encodeFile(new Map(part), dtype))
  if (shards === 1) write('model.safetensors', named)
  else {
    const weight_map: Record<string, string> = {}
    for (let i = 0; i < shards; i++) {
      const file = `model-0000${i + 1}-of-0000${shards}.safetensors`
      const part = named.filter((_, at) => at % shards === i)
      for (const [name] of part) weight_map[name] = file
      write(file, part)
    }
    writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }))
  }
  return tensors
}

function encodeFile(tensors: Tensors, dtype: Dtype): Uint8Array {
  if (dtype !== 'BF16') return encodeSafetensors(tensors, dtype)
  const listed = [...tensors].map(([name, { shape }]) => ({ name, shape, dtype }))
  return Buffer.concat([
    encodeHeader(listed),
    ...[...tensors.values()].map(({ data }) => encodeValues(data, dtype)),
  ])
}
