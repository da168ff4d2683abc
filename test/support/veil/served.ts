/** A small random checkpoint, veiled: what its cloud gets, and the twin of the original. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import type { HfConfig } from '../../../src/model/architectures/hf-reader.ts'
import { PredictableRandom } from '../../../src/model/random.ts'
import type { Group } from '../../../src/protections/veiled/ends.ts'
import { OwnerEnds } from '../../../src/protections/veiled/owner-ends.ts'
import { parseOwnerKey } from '../../../src/protections/veiled/owner-key.ts'
import { veilModel } from '../../../tools/veil/veil.ts'
import { bertTwin } from '../../twins/bert.ts'
import type { TwinTensors, Vector } from '../../twins/formulas.ts'
import { Gpt2Twin } from '../../twins/gpt2.ts'
import { LlamaTwin } from '../../twins/llama.ts'
import { pictureRows, textTwin } from '../../twins/llava.ts'
import { MixtralTwin } from '../../twins/mixtral.ts'
import { randomCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'

/** A model whose heads are as wide as engines want them. */
export interface ServedCase {
  readonly name: string
  readonly group: Group
  readonly config: HfConfig
  readonly without?: RegExp
}

export const VOCAB = 300
export const CONTEXT = 150

const decoder = {
  ...{ hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 72 },
  ...{ num_hidden_layers: 2, vocab_size: VOCAB, rms_norm_eps: 1e-5, max_position_embeddings: CONTEXT },
  ...{ rope_theta: 10000, hidden_act: 'silu', eos_token_id: 5 },
}
const encoder = {
  ...{ hidden_size: 64, num_attention_heads: 4, intermediate_size: 96, num_hidden_layers: 2 },
  ...{ vocab_size: VOCAB, max_position_embeddings: CONTEXT, type_vocab_size: 2, layer_norm_eps: 1e-5 },
  id2label: { 0: 'anger', 1: 'joy', 2: 'fear' },
}
const llama: ModelConfig = {
  ...{ arch: 'llama', vocab: VOCAB, dim: 64, layers: 2, heads: 4, kvHeads: 2, ff: 72, eps: 1e-5 },
  ...{ context: CONTEXT, ropeTheta: 10000, activation: 'silu', tied: false },
}
const gpt2: ModelConfig = {
  ...{ arch: 'gpt2', vocab: VOCAB, dim: 64, layers: 2, heads: 4, kvHeads: 4, ff: 96, eps: 1e-5 },
  ...{ context: CONTEXT, activation: 'gelu_tanh', tied: true },
}
const bert: ModelConfig = {
  ...{ arch: 'bert', vocab: VOCAB, dim: 64, layers: 2, heads: 4, kvHeads: 4, ff: 96, eps: 1e-5 },
  ...{ context: CONTEXT, activation: 'gelu', tied: true, types: 2 },
  head: { kind: 'classify', labels: ['anger', 'joy', 'fear'] },
}

export const servedDecoders: readonly ServedCase[] = [
  {
    name: 'llama',
    group: 'full',
    config: { ...decoder, model_type: 'llama', tie_word_embeddings: true },
    without: /bias$|lm_head/,
  },
  {
    name: 'qwen2',
    group: 'bits',
    config: { ...decoder, model_type: 'qwen2' },
    without: /(o_proj|mlp.*)\.bias$/,
  },
  { name: 'qwen3', group: 'full', config: { ...decoder, model_type: 'qwen3' }, without: /bias$/ },
  {
    name: 'mixtral',
    group: 'full',
    config: { ...decoder, model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2 },
    without: /bias$/,
  },
  {
    name: 'gpt2',
    group: 'bits',
    config: {
      ...{ model_type: 'gpt2', n_embd: 64, n_head: 4, n_layer: 2, n_inner: 96, vocab_size: VOCAB },
      ...{ n_positions: CONTEXT, layer_norm_epsilon: 1e-5, activation_function: 'gelu_new' },
    },
    without: /^transformer|lm_head/,
  },
]
export const servedEncoders: readonly ServedCase[] = [
  { name: 'bert', group: 'bits', config: { ...encoder, model_type: 'bert' }, without: /^cls/ },
  {
    name: 'roberta',
    group: 'full',
    config: { ...encoder, model_type: 'roberta', pad_token_id: 1 },
    without: /^lm_head|pooler/,
  },
]

/** Patches of a picture, of 3 x 4 x 4 numbers each, and the token in whose place they stand. */
export const PATCHES = 16
export const PICTURE_TOKEN = 299

export const servedLlava: ServedCase = {
  name: 'llava',
  group: 'full',
  config: {
    model_type: 'llava',
    image_token_index: PICTURE_TOKEN,
    text_config: { ...decoder, model_type: 'llama' },
    vision_config: {
      ...{ model_type: 'clip_vision_model', hidden_size: 40, num_attention_heads: 4, image_size: 16 },
      ...{ intermediate_size: 80, num_hidden_layers: 3, patch_size: 4, layer_norm_eps: 1e-5 },
    },
  },
  without: /^model\.|language_model.*bias$|patch_embedding.bias/,
}
const clip: ModelConfig = { ...bert, arch: 'clip', dim: 40, ff: 80, layers: 3 }

/** A veiled checkpoint on disk. */
export class VeiledFolder {
  readonly dir: string
  readonly cloud: string
  readonly ends: OwnerEnds
  readonly #original: TwinTensors
  readonly #config: HfConfig

  private constructor(config: HfConfig, dir: string, ownerKey: string) {
    this.#config = config
    this.dir = dir
    this.cloud = join(dir, 'cloud')
    this.#original = readCheckpoint(join(dir, 'original'))
    this.ends = new OwnerEnds(parseOwnerKey(readFileSync(ownerKey, 'utf8'), ownerKey))
  }

  static async make({ config, without, group }: ServedCase, gguf = false): Promise<VeiledFolder> {
    const dir = mkdtempSync(join(tmpdir(), 'sotto-veiled-'))
    const [from, out, keys] = ['original', 'cloud', 'keys'].map((name) => join(dir, name))
    writeCheckpoint(from, config, randomCheckpoint(config, 11, without), { type: 'F32' })
    const { ownerKey } = await veilModel({ from, out, keys, group, tenant: 'test', gguf })
    return new VeiledFolder(config, dir, ownerKey)
  }

  /** Logits behind each token of the original. */
  logits(ids: readonly number[]): Vector[] {
    const original = this.#original
    const { model_type: type, tie_word_embeddings: isTied } = this.#config
    if (type === 'gpt2') return new Gpt2Twin(gpt2, original).forward(ids)
    const Twin = type === 'mixtral' ? MixtralTwin : LlamaTwin
    return new Twin({ ...llama, tied: isTied === true }, original).forward(ids)
  }

  /** Logits of a LLaVA behind each token and patch of a text with a picture in it. */
  answers(before: readonly number[], patches: readonly Float32Array[], after: readonly number[]): Vector[] {
    const text = textTwin({ ...llama, tied: false }, this.#original)
    const seen = pictureRows(
      clip,
      this.#original,
      patches.map((patch) => [...patch]),
    )
    const embedded = (ids: readonly number[]) => ids.map((id) => text.embed(id))
    return text.rows([...embedded(before), ...seen, ...embedded(after)])
  }

  /** Logits of the original's labels. */
  labels(ids: readonly number[], types: readonly number[]): Vector {
    const isBert = this.#config.model_type === 'bert'
    const config = isBert ? bert : { ...bert, arch: 'roberta', positionOffset: 2, context: CONTEXT - 2 }
    return bertTwin(config, this.#original, { ids: [...ids], ...(isBert ? { types: [...types] } : {}) })
      .logits![0]
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** A picture's patches, the same for the same seed. */
export function somePatches(seed: number): Float32Array[] {
  const random = new PredictableRandom(seed)
  return Array.from({ length: PATCHES }, () => Float32Array.from({ length: 48 }, () => random.uniform()))
}

/** Tokens, always the same. */
export function someIds(count: number, seed = 3): number[] {
  const random = new PredictableRandom(seed)
  return Array.from({ length: count }, () => Math.floor(random.uniform() * VOCAB))
}
